--- Filtered logs: buffers of their own, shown in one window in the place of the whole log.
local follow = require('brummer.ui.follow')
local notify = require('brummer.notify')
local views = require('brummer.ui.view')

local M = {}

-- A word of ours for what the host calls `level:error`.
local ERRORS = 'errors'

---@type table<string, string> root and script -> the filter it had last
local remembered = {}

---@param view brummer.View
---@return string
local function key(view)
  return (view.root or '') .. '\0' .. (view.script or '')
end

--- What the host is told.
---@param filter string
---@return string
function M.sent(filter)
  return filter == ERRORS and 'level:error' or filter
end

--- What the winbar says of it.
---@param view brummer.LogView
---@return string
function M.said(view)
  return view.filter == ERRORS and 'errors only' or 'only ' .. view.filter
end

--- What a log had last; nothing yet: ''.
---@param view brummer.View
---@return string
function M.last(view)
  return remembered[key(view)] or ''
end

---@param view brummer.View
---@return string
local function name_of(view)
  return view.script or vim.fs.basename(view.root)
end

--- Shows another form of the log in a window, with the cursor on the same line or the nearest.
---@param win integer
---@param from brummer.LogView
---@param to brummer.LogView
local function switch(win, from, to)
  if not vim.api.nvim_win_is_valid(win) or vim.api.nvim_win_get_buf(win) ~= from.buf then
    return
  end
  local anchor = require('brummer.ui.anchor')
  -- Where nothing passed, one still comes from where one was.
  local origin = from.lines.count == 0 and from.origin
  to.anchor = origin and anchor.new(win, origin.seq, origin.id, origin.t) or anchor.of(win, from)
  to.origin, to.following = to.anchor, not to.anchor and follow.on(win)
  vim.api.nvim_win_set_buf(win, to.buf)
  if to.anchor and to.lines.count > 0 then
    require('brummer.ui.anchor').settle(to)
  end
end

--- Shows only what passes in a window; without a filter all of it again.
---@param win integer
---@param view brummer.LogView
---@param filter? string
function M.show(win, view, filter)
  filter = vim.trim(filter or '')
  if filter == (view.filter or '') then
    return filter == '' and notify.say(('%s is not filtered'):format(name_of(view))) or nil
  end
  local name = views.log_name(view.root, view.script, filter ~= '' and filter, view.previous)
  local buf = views.buffer(name)
  local to = views.get(buf) --[[@as brummer.LogView]]
  if filter == '' or to.watching or to.lines.count > 0 then
    remembered[key(view)] = filter ~= '' and filter or remembered[key(view)]
    return switch(win, view, to)
  end
  -- A wrong filter is one message, and the log stays.
  local ask = to.previous and require('brummer.previous').load or require('brummer.ui.feed').watch
  ask(to, function(err)
    if err ~= '' then
      pcall(vim.api.nvim_buf_delete, buf, { force = true })
      return notify.failed(err)
    end
    remembered[key(view)] = filter
    switch(win, view, to)
  end)
end

--- The log in the current window, else one that is opened there.
---@param cb fun(win: integer, view: brummer.LogView)
local function with_log(cb)
  local view = views.get(0)
  if view and view.kind == 'logs' then
    return cb(vim.api.nvim_get_current_win(), view --[[@as brummer.LogView]])
  end
  require('brummer.target').with_process(nil, 'Filter the log of', function(row)
    local win = require('brummer.scripts').open_log(row.root, row.name)
    local opened = views.get(vim.api.nvim_win_get_buf(win))
    if opened then
      cb(win, opened --[[@as brummer.LogView]])
    end
  end)
end

--- Asks for a filter; an empty answer goes back to the whole log.
function M.ask()
  with_log(function(win, view)
    vim.ui.input({
      prompt = ('Only lines of %s with: '):format(name_of(view)),
      default = view.filter or M.last(view),
      kind = 'brummer.filter',
      completion = "customlist,v:lua.require'brummer.complete'.filter",
    }, function(answer)
      -- The question would stay on the screen.
      vim.api.nvim_echo({ { '' } }, false, {})
      if answer and vim.api.nvim_win_is_valid(win) then
        if vim.trim(answer) ~= '' or view.filter then
          M.show(win, view, answer)
        end
      end
    end)
  end)
end

--- `:Brummer filter [--off] [WORDS]`.
---@param raw string
function M.command(raw)
  if raw == '' then
    return M.ask()
  end
  with_log(function(win, view)
    M.show(win, view, raw ~= '--off' and raw or nil)
  end)
end

return M
