--- The verbs: one named list that keys, <Plug> maps and commands share.
local cursor = require('brummer.cursor')
local notify = require('brummer.notify')
local scripts = require('brummer.scripts')
local state = require('brummer.state')
local target = require('brummer.target')

local M = {}

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
      local row = state.match(root, name)
      scripts.open_log(root, row and row.name or name, open)
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

--- Opens the terminal of a process.
---@param name? string
---@param open? brummer.OpenOpts
function M.attach(name, open)
  target.with_process(name, 'Attach to', function(row)
    require('brummer.ui.terminal').open(row, open)
  end)
end

---@type table<string, { desc: string, fn: fun() }>
M.verbs = {
  run = {
    desc = 'run a script of the project',
    fn = function()
      require('brummer.picker').choose()
    end,
  },
  run_last = { desc = 'run again what was run last', fn = scripts.start_last },
  stop = {
    desc = 'stop the process',
    fn = function()
      if not cursor.astray() then
        scripts.signal('stop')
      end
    end,
  },
  restart = {
    desc = 'run the process again',
    fn = function()
      if not cursor.astray() then
        M.restart()
      end
    end,
  },
  send = {
    desc = 'send a line to the process',
    fn = function()
      if not cursor.astray() then
        require('brummer.send').ask()
      end
    end,
  },
  attach = {
    desc = 'open the terminal of the process',
    fn = function()
      if not cursor.astray() then
        M.attach()
      end
    end,
  },
  logs = { desc = 'open a log', fn = M.logs },
  details = {
    desc = 'show all of the line, or of the process',
    fn = function()
      if not cursor.astray() and not require('brummer.ui.line').show() then
        require('brummer.ui.details').show()
      end
    end,
  },
  restore = {
    desc = 'run again what ran when Neovim was left',
    fn = function()
      require('brummer.session').restore()
    end,
  },
  stop_all = {
    desc = 'stop everything of the project',
    fn = function()
      scripts.stop_all()
    end,
  },
  clear = { desc = 'hide what was printed so far', fn = M.clear },
  open = { desc = 'open the dashboard', fn = M.open },
  toggle = { desc = 'show or hide the views', fn = M.toggle },
  health = { desc = 'show how the host is', fn = M.health },
  refresh = {
    desc = 'look again now',
    fn = function()
      local view = require('brummer.ui.view').get(0)
      if view and view.kind == 'search' then
        return require('brummer.ui.search').start(view --[[@as brummer.SearchView]])
      end
      require('brummer.ui.health').refresh()
    end,
  },
  search = {
    desc = 'search everything for the last / pattern',
    fn = function()
      require('brummer.search').last_pattern()
    end,
  },
  filter = {
    desc = 'show only some lines of the log',
    fn = function()
      require('brummer.filter').ask()
    end,
  },
  only_errors = {
    desc = 'show only the errors of the log',
    fn = function()
      require('brummer.filter').command('errors')
    end,
  },
  previous = {
    desc = 'open the log of the session before',
    fn = function()
      require('brummer.previous').open()
    end,
  },
  load = {
    desc = 'load lines that are not shown',
    fn = function()
      require('brummer.load').run()
    end,
  },
  open_url = {
    desc = 'open the URL here, or of the process',
    fn = function()
      require('brummer.urls').open()
    end,
  },
  explain = { desc = 'say what the line was taken for', fn = cursor.explain },
  go = {
    desc = 'go to the place or log of the line',
    fn = function()
      cursor.go('go')
    end,
  },
  preview = {
    desc = 'show the place, stay here',
    fn = function()
      cursor.go('preview')
    end,
  },
  go_split = {
    desc = 'go there in a split',
    fn = function()
      cursor.go('split')
    end,
  },
  go_vsplit = {
    desc = 'go there in a vertical split',
    fn = function()
      cursor.go('vsplit')
    end,
  },
  go_tab = {
    desc = 'go there in a new tab page',
    fn = function()
      cursor.go('tab')
    end,
  },
  next_error = {
    desc = 'next error of this log',
    fn = function()
      cursor.seek(1, 'errors')
    end,
  },
  prev_error = {
    desc = 'previous error of this log',
    fn = function()
      cursor.seek(-1, 'errors')
    end,
  },
  next_run = {
    desc = 'next run in this log',
    fn = function()
      cursor.seek(1, 'runs')
    end,
  },
  prev_run = {
    desc = 'previous run in this log',
    fn = function()
      cursor.seek(-1, 'runs')
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
