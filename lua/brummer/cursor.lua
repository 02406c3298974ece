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

---@class brummer.LineRef
---@field id integer 0: no process of this host printed it
---@field seq integer
---@field text string as it is shown
---@field t? integer when it was read
---@field name? string of the log

--- The line of a log, or hit of a search, the cursor is in.
---@return brummer.LineRef?
function M.line()
  local view = require('brummer.ui.view').get(0)
  local lnum = vim.api.nvim_win_get_cursor(0)[1]
  local text = vim.api.nvim_get_current_line()
  if view and view.kind == 'search' then
    local hit = require('brummer.ui.search').at(view --[[@as brummer.SearchView]], lnum)
    return hit and vim.tbl_extend('force', hit, { text = text }) or nil
  elseif not view or view.kind ~= 'logs' then
    return
  end
  local log = view --[[@as brummer.LogView]]
  local seq, id = log.lines:at(lnum - 1)
  if not seq then
    return
  end
  local row = not view.script and require('brummer.state').get(id or 0)
  local name = view.script or row and row.name
  if require('brummer.previous').stands(log) then
    name, id = view.script or log.names and log.names[id], 0
  elseif view.script then
    id = log.id or 0
  end
  return { seq = seq, id = id, text = text, t = log.lines:time(lnum - 1), name = name }
end

-- Lines around one of an earlier session that tell what it is about.
local BEFORE, AFTER = 60, 20

--- What the host is told of a line that it has no longer.
---@param view brummer.View
---@param line brummer.LineRef
---@param lnum integer
---@return { root: string, name?: string, lines: string[], at: integer }
function M.around(view, line, lnum)
  local lines, at = { line.text }, 1
  if view.kind == 'logs' and view.script and not view.filter then
    local first = math.max(lnum - BEFORE, 1)
    lines = vim.api.nvim_buf_get_lines(view.buf, first - 1, lnum + AFTER, false)
    at = lnum - first + 1
  end
  return { root = view.root or vim.uv.cwd(), name = line.name, lines = lines, at = at }
end

--- A hit that names no place: its line in its log.
---@param line brummer.LineRef
local function to_log(line)
  local row = require('brummer.state').get(line.id)
  if not row then
    return notify.say('this line names no place')
  end
  local from = vim.api.nvim_get_current_buf()
  local win = require('brummer.scripts').open_log(row.root, row.name)
  local view = require('brummer.ui.view').get(vim.api.nvim_win_get_buf(win)) --[[@as brummer.LogView]]
  local anchor = require('brummer.ui.anchor')
  view.anchor = anchor.new(win, line.seq, 0, line.t)
  view.anchor.exact, view.anchor.back = true, from
  anchor.settle(view)
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
  end
  local line = M.line()
  if line and view.kind == 'logs' and vim.fn.foldclosed(lnum) ~= -1 then
    -- Of folded frames the first one that is the user's own.
    local frames = require('brummer.ui.folds').at(view --[[@as brummer.LogView]], lnum - 1)
    line.seq = frames and (frames.user or frames.first) or line.seq
  end
  if not line then
    return notify.say('this line names no place')
  end
  local method, params = 'locate', { id = line.id, seq = line.seq }
  if line.id == 0 then
    method, params = 'place', M.around(view, line, lnum)
  end
  host.call(method, params, function(err, value)
    if err and view.kind == 'search' and line.id ~= 0 and how ~= 'preview' and vim.api.nvim_get_current_win() == win then
      return to_log(line)
    elseif err then
      return notify.failed(err)
    end
    if value and vim.api.nvim_get_current_win() == win then
      require('brummer.location').open(value --[[@as brummer.Location]], how)
    end
  end)
end

--- Puts the cursor of the current window into a row, and the rows around it into sight: what belongs to an error stands
--- below it.
---@param row integer 0-based
local function into_sight(row)
  local win = vim.api.nvim_get_current_win()
  local own = vim.api.nvim_get_option_value('scrolloff', { scope = 'local', win = win })
  local around = math.floor(vim.fn.winheight(win) / 2) - 1
  vim.cmd.normal({ "m'", bang = true })
  vim.wo[win].scrolloff = math.max(around, vim.wo[win].scrolloff)
  vim.api.nvim_win_set_cursor(win, { row + 1, 0 })
  vim.cmd.normal({ 'zv', bang = true })
  vim.api.nvim_set_option_value('scrolloff', own, { scope = 'local', win = win })
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
    into_sight(to)
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
  local line = M.line()
  if not line or line.id == 0 then
    return notify.say(':Brummer explain works on a line of a log')
  end
  host.call('explain', { id = line.id, seq = line.seq }, function(err, value)
    if err then
      return notify.failed(err)
    end
    require('brummer.ui.window').popup(value and value.lines or {}, 'explain')
  end)
end

return M
