--- Running, stopping, running again.
local host = require('brummer.host')
local notify = require('brummer.notify')
local project = require('brummer.project')
local state = require('brummer.state')
local target = require('brummer.target')
local text = require('brummer.text')

local M = {}

---@class brummer.RunOpts
---@field root? string
---@field names? string[]
---@field args? string[]
---@field command? string
---@field open? brummer.OpenOpts|false

---@type brummer.RunOpts?
local last
---@type table<string, string> root -> problems of its .brum.toml that were told
local told = {}

---@type table<string, fun(id: integer)[]> root and name -> what is to be done once a start was answered
local starting = {}

---@param root string
---@param name string
---@return string
local function key(root, name)
  return root .. '\0' .. name
end

--- Says what is wrong in .brum.toml, once until it is something else: what can be run runs.
---@param root string
local function check_config(root)
  if not vim.uv.fs_stat(vim.fs.joinpath(root, '.brum.toml')) then
    return
  end
  host.call('config', { dir = root }, function(err, value)
    local problems = not err and value and value.problems or {}
    local all = table.concat(problems, '\n')
    if #problems > 0 and told[root] ~= all then
      local more = #problems > 1 and (' (%d more: :Brummer config)'):format(#problems - 1) or ''
      -- The directory is known: file, line and key fit the line.
      local first = problems[1]:gsub('^.-/(%.brum%.toml)', '%1')
      local room = notify.room() - #'brummer: '
      if more == '' and vim.fn.strdisplaywidth(first) > room then
        more = ' (:Brummer config)'
      end
      -- Where the rest is to be read stays when the problem is long.
      first = require('brummer.text').fit(first, room - #more)
      notify.say(first .. more, vim.log.levels.WARN)
    end
    told[root] = all
  end)
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

--- Runs scripts or a command line and opens the log.
---@param opts brummer.RunOpts
function M.start(opts)
  local win = vim.api.nvim_get_current_win()
  target.with_root(function(root)
    root = opts.root or root
    last = vim.tbl_extend('force', opts, { root = root })
    for _, name in ipairs(opts.names or {}) do
      starting[key(root, name)] = starting[key(root, name)] or {}
    end
    host.call('run', {
      root = root,
      names = opts.names,
      args = opts.args,
      command = opts.command,
    }, function(err, value)
      local started = value and value.started or {}
      for _, name in ipairs(opts.names or {}) do
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
      if err then
        return notify.failed(err)
      end
      check_config(root)
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
      if opts.open == false or #started == 0 then
        return
      end
      local open = vim.deepcopy(opts.open or {})
      -- Somebody who has gone on to something else meanwhile keeps the cursor.
      open.stay = open.stay
        or vim.api.nvim_get_current_win() ~= win
        or vim.api.nvim_get_mode().mode ~= 'n'
      M.open_log(root, #started == 1 and started[1].name or nil, open)
    end)
  end)
end

--- Runs again what was run last.
---@param open? brummer.OpenOpts|false
function M.start_last(open)
  if not last then
    return notify.say('nothing was run yet; :BrummerRun lists the scripts')
  end
  M.start(vim.tbl_extend('force', last, { open = open }))
end

--- Says what was looked for and how a command is added.
---@param dir string
function M.nothing(dir)
  require('brummer.ui.window').popup({
    (' Nothing to run in %s:'):format(vim.fn.fnamemodify(dir, ':~')),
    ' no script in a package.json, no command in a .brum.toml.',
    '',
    ' Three lines of .brum.toml add one:',
    '',
    '   [scripts.dev]',
    '   command = "npx vite"',
    '   cwd = "."',
  }, 'brummer')
end

--- Lets the user choose a script.
---@param open? brummer.OpenOpts
function M.choose(open)
  local root = project.current()
  host.call('scripts', { dir = root or vim.fn.getcwd(-1, 0) }, function(err, value)
    if err then
      return notify.failed(err)
    end
    value = value or {}
    local scripts = value.scripts or {}
    if value.root then
      project.remember(value.root, scripts)
    end
    if #scripts == 0 then
      return M.nothing(value.root or root or vim.fn.getcwd())
    end
    local function full(script)
      return script.package and (script.package .. '/' .. script.name) or script.name
    end
    local width = 0
    for _, script in ipairs(scripts) do
      width = math.max(width, vim.fn.strdisplaywidth(full(script)))
    end
    vim.ui.select(scripts, {
      prompt = ('Run in %s'):format(value.project or value.root),
      kind = 'brummer.script',
      format_item = function(script)
        -- One line each, also with the number that the built-in list puts before it.
        local line = text.pad(full(script), math.min(width, 30)) .. '  ' .. (script.command or '')
        return (text.pad(line, math.max(vim.o.columns - 8, 20)):gsub('%s+$', ''))
      end,
    }, function(script)
      if script then
        M.start({ root = value.root, names = { full(script) }, open = open })
      end
    end)
  end)
end

---@param method 'stop'|'restart'
---@param name? string
function M.signal(method, name)
  local function send(id)
    host.call(method, { id = id }, function(err)
      if err then
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
    if method == 'stop' and not state.alive(row) then
      -- The host still ends what the run left behind.
      notify.say(('%s is not running'):format(row.name))
    end
    send(row.id)
  end)
end

return M
