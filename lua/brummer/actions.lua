--- The verbs: one named list that keys, <Plug> maps and commands share.
local host = require('brummer.host')
local notify = require('brummer.notify')
local scripts = require('brummer.scripts')
local state = require('brummer.state')
local target = require('brummer.target')

local M = {}

--- Whether the cursor is on a line of the list that is no process: a key that acts says so and does
--- nothing. Never is another process meant, not even the only one that runs.
---@return boolean
local function astray()
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
local function go(how)
  local view = require('brummer.ui.view').get(0)
  if not view then
    return notify.say('there is no brummer view here')
  end
  local win = vim.api.nvim_get_current_win()
  local lnum = vim.api.nvim_win_get_cursor(win)[1]
  if view.kind == 'processes' then
    local processes = require('brummer.ui.processes')
    if processes.leads_to_health(view, lnum) then
      return M.health()
    end
    return not astray() and processes.go(view, lnum, how) or nil
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
local function seek(direction, what)
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

--- Runs the process of the view or list again; a log of nothing is run for the first time.
function M.restart()
  local view = require('brummer.ui.view').get(0)
  if view and view.script and not state.find(view.root, view.script) then
    return scripts.start({ root = view.root, names = { view.script }, open = { stay = true } })
  end
  scripts.signal('restart')
end

--- Opens a log by the rules of |brummer-project|.
---@param name? string
---@param open? brummer.OpenOpts
function M.logs(name, open)
  if name then
    return target.with_root(function(root)
      scripts.open_log(root, name, open)
    end)
  end
  target.with_process(nil, 'Show the log of', function(row)
    scripts.open_log(row.root, row.name, open)
  end)
end

---@param name? string
---@param undo? boolean
function M.clear(name, undo)
  local logs = require('brummer.ui.logs')
  local view = require('brummer.ui.view').get(0)
  if not name and view and view.kind == 'logs' then
    return logs.clear(view --[[@as brummer.LogView]], undo)
  end
  target.with_process(name, 'Clear the log of', function(row)
    for _, other in ipairs(logs.all()) do
      if other.root == row.root and other.script == row.name then
        return logs.clear(other, undo)
      end
    end
    notify.say(('the log of %s is not open'):format(row.name))
  end)
end

---@param open? brummer.OpenOpts
function M.open(open)
  require('brummer.ui.window').open(require('brummer.ui.view').buffer('brummer://'), open)
end

---@param open? brummer.OpenOpts
function M.health(open)
  require('brummer.ui.window').open(require('brummer.ui.view').buffer('brummer://health'), open)
end

--- Closes the views of this tab page, or opens the one seen last.
---@param open? brummer.OpenOpts
function M.toggle(open)
  local views, window = require('brummer.ui.view'), require('brummer.ui.window')
  local closed
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    local view = views.get(vim.api.nvim_win_get_buf(win))
    if view then
      window.close(win)
      closed = true
    end
  end
  if not closed then
    window.open(views.buffer(vim.g.brummer_last_view or 'brummer://'), open)
  end
end

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

---@type table<string, { desc: string, fn: fun() }>
M.verbs = {
  run = { desc = 'run a script of the project', fn = scripts.choose },
  run_last = { desc = 'run again what was run last', fn = scripts.start_last },
  stop = {
    desc = 'stop the process',
    fn = function()
      if not astray() then
        scripts.signal('stop')
      end
    end,
  },
  restart = {
    desc = 'run the process again',
    fn = function()
      if not astray() then
        M.restart()
      end
    end,
  },
  logs = { desc = 'open a log', fn = M.logs },
  clear = { desc = 'hide what was printed so far', fn = M.clear },
  open = { desc = 'open the dashboard', fn = M.open },
  toggle = { desc = 'show or hide the views', fn = M.toggle },
  health = { desc = 'show how the host is', fn = M.health },
  refresh = {
    desc = 'look again now',
    fn = function()
      require('brummer.ui.health').refresh()
    end,
  },
  explain = { desc = 'say what the line was taken for', fn = M.explain },
  go = {
    desc = 'go to the place or log of the line',
    fn = function()
      go('go')
    end,
  },
  preview = {
    desc = 'show the place, stay here',
    fn = function()
      go('preview')
    end,
  },
  go_split = {
    desc = 'go there in a split',
    fn = function()
      go('split')
    end,
  },
  go_vsplit = {
    desc = 'go there in a vertical split',
    fn = function()
      go('vsplit')
    end,
  },
  go_tab = {
    desc = 'go there in a new tab page',
    fn = function()
      go('tab')
    end,
  },
  next_error = {
    desc = 'next error of this log',
    fn = function()
      seek(1, 'errors')
    end,
  },
  prev_error = {
    desc = 'previous error of this log',
    fn = function()
      seek(-1, 'errors')
    end,
  },
  next_run = {
    desc = 'next run in this log',
    fn = function()
      seek(1, 'runs')
    end,
  },
  prev_run = {
    desc = 'previous run in this log',
    fn = function()
      seek(-1, 'runs')
    end,
  },
  errors = {
    desc = 'list the errors',
    fn = function()
      require('brummer.errors').list({})
    end,
  },
  next = {
    desc = 'go to the next error of all processes',
    fn = function()
      require('brummer.errors').jump(vim.v.count1)
    end,
  },
  prev = {
    desc = 'go to the previous error of all processes',
    fn = function()
      require('brummer.errors').jump(-vim.v.count1)
    end,
  },
  help = {
    desc = 'list the keys',
    fn = function()
      require('brummer.ui.keys').help()
    end,
  },
  close = {
    desc = 'close this window',
    fn = function()
      require('brummer.ui.window').close(vim.api.nvim_get_current_win())
    end,
  },
}

--- Does what a verb says.
---@param verb string
function M.run(verb)
  M.verbs[verb].fn()
end

return M
