--- Asks the host for the lines of logs, and tells it when nobody sees them any more.
local config = require('brummer.config')
local draw = require('brummer.ui.draw')
local host = require('brummer.host')
local rpc = require('brummer.rpc')
local winbar = require('brummer.ui.winbar')

local M = {}

--- Whether a window of some tab page shows it.
---@param view brummer.LogView
---@return boolean
function M.visible(view)
  return #vim.fn.win_findbuf(view.buf) > 0
end

--- Has the host send the lines of a view. `cb` gets what is wrong with its filter, or ''.
---@param view brummer.LogView
---@param cb? fun(err: string)
function M.watch(view, cb)
  view.watching = true
  view.keep = view.lines.count > 0
  host.call('watch', {
    buf = view.buf,
    root = view.root,
    name = view.script,
    max = config.get().max_lines,
    rows = vim.o.lines,
    -- What is held goes on, unless lines are missing in it.
    from = not draw.gap_at(view.buf) and #view.deferred == 0 and view.next or nil,
    filter = view.filter and require('brummer.filter').sent(view.filter),
  }, function(err, value)
    if err then
      view.watching = false
    elseif value and value.id then
      view.id = value.id
    end
    (cb or require('brummer.notify').failed)(err or '')
    winbar.touch(view.buf)
  end)
end

--- Asks for lines while the view is visible, and only then.
---@param view brummer.LogView
function M.sync(view)
  local want = M.visible(view) and not view.still
  if require('brummer.previous').stands(view) then
    return want and require('brummer.previous').load(view)
  elseif want and not view.watching then
    M.watch(view)
  elseif not want and view.watching then
    view.watching = false
    if rpc.attached() then
      rpc.call('unwatch', { buf = view.buf })
    end
  end
end

return M
