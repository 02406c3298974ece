--- Logs as they were in the session before: `:Brummer logs --previous`, and the logs of a restored
--- session until their scripts run again.
local host = require('brummer.host')
local notify = require('brummer.notify')
local state = require('brummer.state')

local M = {}

--- Whether a view shows an earlier session, not what runs now.
---@param view brummer.LogView
---@return boolean
function M.stands(view)
  if view.previous then
    return true
  elseif not view.restored then
    return false
  elseif view.script then
    return state.find(view.root, view.script) == nil
  end
  return #state.rows(view.root) == 0
end

--- Asks for the lines, once. `cb` gets what is wrong, or ''.
---@param view brummer.LogView
---@param cb? fun(err: string)
function M.load(view, cb)
  if view.watching then
    return cb and cb('')
  end
  view.watching = true
  host.call('previous', {
    buf = view.buf,
    root = view.root,
    name = view.script,
    max = require('brummer.config').get().max_lines,
    filter = view.filter and require('brummer.filter').sent(view.filter),
  }, function(err, value)
    if not err and value then
      view.session = value --[[@as table]]
      require('brummer.ui.logs').apply({ value.patch })
    elseif view.previous and not cb then
      notify.failed(err)
    elseif not view.previous and M.stands(view) then
      -- Nobody asked for it. The script may be run any time, and is watched for that.
      view.restored = nil
      require('brummer.ui.feed').watch(view)
    end
    require('brummer.ui.winbar').touch(view.buf)
    if cb then
      cb(err or '')
    end
  end)
end

--- `session of 23 Nov 14:02`, of a view that shows one.
---@param view brummer.LogView
---@return string?
function M.said(view)
  if not M.stands(view) or view.restored and not view.session then
    return
  end
  local at = view.session and view.session.at
  local said = at and os.date('session of %d %b %H:%M', math.floor(at / 1000)) or 'session before'
  -- In a narrow window the date leaves first.
  return view.restored and 'not running · r to run · ' .. said or said --[[@as string]]
end

--- Opens the log of the session before.
---@param name? string
---@param open? brummer.OpenOpts
function M.open(name, open)
  local view = require('brummer.ui.view').get(0)
  local views = require('brummer.ui.view')
  local function show(root, script)
    local buf = views.buffer(views.log_name(root, script, nil, true))
    -- Where there is none the log that is open stays.
    M.load(views.get(buf) --[[@as brummer.LogView]], function(err)
      if err ~= '' then
        pcall(vim.api.nvim_buf_delete, buf, { force = true })
        return notify.failed(err)
      end
      require('brummer.ui.window').open(buf, open)
    end)
  end
  if not name and view and view.kind == 'logs' then
    return show(view.root, view.script)
  end
  require('brummer.target').with_root(function(root)
    local row = name and state.match(root, name)
    show(root, row and row.name or name)
  end)
end

return M
