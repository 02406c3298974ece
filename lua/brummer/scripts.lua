--- Running, stopping, running again.
local catalog = require('brummer.catalog')
local host = require('brummer.host')
local notify = require('brummer.notify')
local project = require('brummer.project')
local state = require('brummer.state')
local target = require('brummer.target')

local M = {}

---@class brummer.RunOpts
---@field root? string
---@field names? string[]
---@field args? string[]
---@field command? string
---@field open? brummer.OpenOpts|false
---@field another? boolean also when another Neovim runs it
---@field quiet? boolean nobody asked for it: opens and asks nothing

---@class brummer.Started
---@field id integer
---@field name string
---@field state 'started'|'running'

---@type brummer.RunOpts?
local last
---@type table<string, brummer.RunOpts> root and name -> how it was started
local how = {}
---@type table<string, string> root -> problems of its files that were told
local told = {}

---@type integer? buffer that a start opened last
local opened

---@type table<string, fun(id: integer)[]> root and name -> what is to be done once a start was answered
local starting = {}

---@param root string
---@param name string
---@return string
local function key(root, name)
  return root .. '\0' .. name
end

--- Says what is wrong in the files of a project, once until it is something else: what can be run runs.
---@param root string
---@param problems string[]
local function tell_problems(root, problems)
  local all = table.concat(problems, '\n')
  if #problems > 0 and told[root] ~= all then
    local more = #problems > 1 and (' (%d more: :Brummer config)'):format(#problems - 1) or ''
    if more == '' and vim.fn.strdisplaywidth('brummer: ' .. problems[1]) > notify.room() then
      more = ' (:Brummer config)'
    end
    notify.say(notify.with_tail(problems[1], more), vim.log.levels.WARN)
  end
  told[root] = all
end

--- Opens the log of a script, or with nil the merged one.
---@param root string
---@param name? string
---@param opts? brummer.OpenOpts
---@return integer win
function M.open_log(root, name, opts)
  local views = require('brummer.ui.view')
  return require('brummer.ui.window').open(views.buffer(views.log_name(root, name)), opts)
end

--- The log to open for what was started: that of the script asked for, or with nil the merged one.
---@param opts brummer.RunOpts
---@param started brummer.Started[]
---@return string?
local function log_of(opts, started)
  if #started == 1 or opts.command then
    return started[1].name
  end
end

--- What waits for the answer to a start is done; nothing waits any more.
---@param root string
---@param names string[]
---@param started brummer.Started[]
local function settle(root, names, started)
  for _, name in ipairs(names) do
    local waiting = starting[key(root, name)] or {}
    starting[key(root, name)] = nil
    for _, one in ipairs(started) do
      if one.name == name then
        vim.iter(waiting):each(function(act)
          act(one.id)
        end)
      end
    end
  end
end

---@param started brummer.Started[]
local function tell_running(started)
  local already = {}
  for _, one in ipairs(started) do
    if one.state == 'running' then
      already[#already + 1] = one.name
    end
  end
  if #already > 0 then
    notify.say(
      ('%s %s already; :Brummer restart starts again'):format(
        table.concat(already, ', '),
        #already == 1 and 'runs' or 'run'
      )
    )
  end
end

--- Runs scripts or a command line and opens the log.
---@param opts brummer.RunOpts
function M.start(opts)
  local win, buf = vim.api.nvim_get_current_win(), vim.api.nvim_get_current_buf()
  local function run(root)
    local names = opts.names and catalog.join(opts.names, catalog.names(root))
    if not opts.quiet then
      last = vim.tbl_extend('force', opts, { root = root, another = false })
    end
    for _, name in ipairs(names or { opts.command }) do
      if not state.alive(state.find(root, name)) then
        how[key(root, name)] = { args = opts.args, command = opts.command }
      end
    end
    for _, name in ipairs(names or {}) do
      starting[key(root, name)] = starting[key(root, name)] or {}
    end
    local dir = project.place()
    host.call('run', {
      root = root,
      -- Where a name may be that of a script of the package at hand.
      dir = dir and vim.startswith(dir, root .. '/') and dir or nil,
      names = names,
      args = opts.args,
      command = opts.command,
      another = opts.another or nil,
    }, function(err, value)
      local started = value and value.started or {} ---@type brummer.Started[]
      settle(root, names or {}, started)
      if err then
        return notify.failed(err)
      end
      for _, one in ipairs(started) do
        if one.state ~= 'running' then
          how[key(root, one.name)] = { args = opts.args, command = opts.command }
        end
      end
      tell_problems(root, value and value.problems or {})
      tell_running(opts.quiet and {} or started)
      if value and #(value.elsewhere or {}) > 0 then
        require('brummer.elsewhere').choose(root, value.elsewhere, opts)
      end
      local now = vim.api.nvim_get_current_buf()
      local view = now ~= buf and now ~= opened and require('brummer.ui.view').get(now)
      -- Another view that was opened meanwhile is not replaced under the cursor.
      if opts.open == false or #started == 0 or view then
        return
      end
      local open = vim.deepcopy(opts.open or {})
      -- Somebody who has gone on to something else meanwhile keeps the cursor.
      open.stay = open.stay
        or vim.api.nvim_get_current_win() ~= win
        or vim.api.nvim_get_mode().mode ~= 'n'
      local shown = M.open_log(root, log_of(opts, started), open)
      opened = vim.api.nvim_win_get_buf(shown)
    end)
  end
  if opts.root then
    run(opts.root)
  else
    target.with_root(run)
  end
end

--- Runs again what was run last.
---@param open? brummer.OpenOpts|false
function M.start_last(open)
  if not last then
    return notify.say('nothing was run yet; :BrummerRun lists the scripts')
  end
  M.start(vim.tbl_extend('force', last, { open = open }))
end

--- How a process was started: its arguments, or its command line.
---@param root string
---@param name string
---@return { args?: string[], command?: string }
function M.how(root, name)
  return how[key(root, name)] or {}
end

---@param method 'stop'|'restart'
---@param name? string
function M.signal(method, name)
  local function send(id)
    state.stops(id)
    host.call(method, { id = id }, function(err)
      if err then
        state.stops(id, false)
        notify.failed(err)
      end
    end)
  end
  local root = name and project.current()
  local waiting = root and not state.find(root, name) and starting[key(root, name)]
  if waiting then
    -- Its start is on the way, and the row comes after it.
    waiting[#waiting + 1] = send
    return
  end
  target.with_process(name, method, function(row)
    if row.elsewhere then
      local where = 'another Neovim (pid %d); %s it there'
      return notify.say(('%s runs in ' .. where):format(row.name, row.elsewhere, method))
    end
    if method == 'stop' and not state.alive(row) and #(row.left or {}) == 0 then
      -- The host still ends what the run left behind.
      notify.say(('%s is not running'):format(row.name))
    end
    send(row.id)
  end)
end

--- Stops or restarts each of the named processes; without names the one that is meant.
---@param method 'stop'|'restart'
---@param words string[]
function M.signal_all(method, words)
  local root = project.current()
  local known = {}
  for _, row in ipairs(state.rows(root)) do
    known[#known + 1] = row.name
  end
  local names = catalog.join(words, known)
  if #names == 0 then
    return M.signal(method)
  end
  for _, name in ipairs(names) do
    M.signal(method, name)
  end
end

--- Stops everything that runs in the project, dependents first; with `every` in all projects.
---@param every? boolean
function M.stop_all(every)
  local root = not every and project.current() or nil
  local here = vim.tbl_filter(function(row)
    return state.alive(row) or #(row.left or {}) > 0
  end, state.rows(root))
  if #here == 0 then
    return notify.say('nothing runs here')
  end
  for _, row in ipairs(here) do
    state.stops(row.id)
  end
  host.call('stop_all', { root = root }, function(err)
    if err then
      for _, row in ipairs(here) do
        state.stops(row.id, false)
      end
      return notify.failed(err)
    end
    local others = #state.running()
    if root and others > 0 then
      notify.say(('%d in other projects go on; :Brummer! stop --all stops all'):format(others))
    end
  end)
end

return M
