--- Verbs about the line the cursor is in.
local host = require('brummer.host')
local notify = require('brummer.notify')

local M = {}

--- Whether the cursor is on a line of the list that is no process: a key that acts says so and does
--- nothing. Never is another process meant, not even the only one that runs.
---@return boolean
function M.astray()
  local view = require('brummer.ui.view').get(0)
  if not view or view.kind ~= 'processes' then
    return false
  end
  local lnum = vim.api.nvim_win_get_cursor(0)[1]
  if require('brummer.ui.processes').row_at(view, lnum) then
    return false
  end
  notify.say('no process on this line')
  return true
end

---@param how brummer.How
function M.go(how)
  local view = require('brummer.ui.view').get(0)
  if not view then
    return notify.say('there is no brummer view here')
  end
  local win = vim.api.nvim_get_current_win()
  local lnum = vim.api.nvim_win_get_cursor(win)[1]
  if view.kind == 'processes' then
    local processes = require('brummer.ui.processes')
    if processes.leads_to_health(view, lnum) then
      return require('brummer.actions').health()
    end
    return not M.astray() and processes.go(view, lnum, how) or nil
  elseif view.kind ~= 'logs' then
    return notify.say('this line names no place')
  end
  local log = view --[[@as brummer.LogView]]
  local seq, id = log.lines:at(lnum - 1)
  id = view.script and log.id or id
  if not seq or not id then
    return notify.say('this line names no place')
  end
  host.call('locate', { id = id, seq = seq }, function(err, value)
    if err then
      return notify.failed(err)
    end
    if value and vim.api.nvim_get_current_win() == win then
      require('brummer.location').open(value --[[@as brummer.Location]], how)
    end
  end)
end

---@param direction 1|-1
---@param what 'errors'|'runs'
function M.seek(direction, what)
  local view = require('brummer.ui.view').get(0)
  if not view or view.kind ~= 'logs' then
    return notify.say('this works in a log; :Brummer next goes to the next error')
  end
  local draw = require('brummer.ui.draw')
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  local to, short = draw.seek(view.buf, draw.ns[what], row, direction * vim.v.count1)
  if to then
    vim.cmd.normal({ "m'", bang = true })
    vim.api.nvim_win_set_cursor(0, { to + 1, 0 })
    vim.cmd.normal({ 'zv', bang = true })
  end
  if short then
    notify.say(
      ('no %s %s here'):format(
        direction > 0 and 'further' or 'earlier',
        what == 'errors' and 'error' or 'run'
      )
    )
  end
end

--- Says what the line was taken for.
function M.explain()
  local view = require('brummer.ui.view').get(0)
  if not view or view.kind ~= 'logs' then
    return notify.say(':Brummer explain works on a line of a log')
  end
  local log = view --[[@as brummer.LogView]]
  local seq, id = log.lines:at(vim.api.nvim_win_get_cursor(0)[1] - 1)
  id = view.script and log.id or id
  if not seq or not id then
    return notify.say('there is no line to explain')
  end
  host.call('explain', { id = id, seq = seq }, function(err, value)
    if err then
      return notify.failed(err)
    end
    require('brummer.ui.window').popup(value and value.lines or {}, 'explain')
  end)
end

return M
