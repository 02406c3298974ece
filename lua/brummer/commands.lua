--- `:Brummer` and `:BrummerRun`.
local notify = require('brummer.notify')
local text = require('brummer.text')

local M = {}

---@class brummer.Command
---@field fn? fun(opts: table, args: string[], raw: string)
---@field complete? brummer.Completion

---@param opts table
---@return brummer.OpenOpts
local function open_opts(opts)
  return { stay = opts.bang, count = opts.range > 0 and opts.count or nil, smods = opts.smods }
end

---@param args string[]
---@param flag string
---@return boolean
---@return string[] rest
local function take(args, flag)
  local rest = vim.tbl_filter(function(arg)
    return arg ~= flag
  end, args)
  return #rest < #args, rest
end

---@param args string[]
---@return string[] names
---@return string[]? rest after `--`
local function split_args(args)
  for i, arg in ipairs(args) do
    if arg == '--' then
      return vim.list_slice(args, 1, i - 1), vim.list_slice(args, i + 1)
    end
  end
  return args
end

--- `:BrummerRun`: names, `-- args`, `!command line`, `--last`, `--restore`, or nothing to choose.
---@param opts table
---@param raw string
function M.run(opts, raw)
  local scripts = require('brummer.scripts')
  local open = open_opts(opts)
  local command = raw:match('^!%s*(.-)%s*$')
  if command then
    if command == '' then
      return notify.error('! needs a command line: :BrummerRun !make test')
    end
    return scripts.start({ command = command, open = open })
  end
  local words = text.words(raw)
  if words[1] == '--last' then
    return scripts.start_last(open)
  elseif words[1] == '--restore' then
    return require('brummer.session').restore()
  end
  local names, args = split_args(words)
  if #names == 0 then
    return require('brummer.picker').choose(open)
  end
  -- Names may have options in them (`cargo run --bin web`); which have, the host knows.
  if names[1]:sub(1, 2) == '--' then
    return notify.error(
      ("unknown option '%s'; those of the script come after --"):format(names[1])
    )
  end
  scripts.start({ names = names, args = args, open = open })
end

---@type table<string, brummer.Command>
M.commands = {
  run = {
    complete = 'scripts',
    fn = function(opts, _, raw)
      M.run(opts, raw)
    end,
  },
  stop = {
    complete = 'stop',
    fn = function(opts, args)
      local all, rest = take(args, '--all')
      local leftovers, names = take(rest, '--leftovers')
      if leftovers then
        require('brummer.leftovers').stop()
      end
      if all then
        require('brummer.scripts').stop_all(opts.bang)
      end
      if #names > 0 or not all and not leftovers then
        require('brummer.scripts').signal_all('stop', names)
      end
    end,
  },
  restart = {
    complete = 'running',
    fn = function(_, args)
      local actions = require('brummer.actions')
      if args[1] then
        return require('brummer.scripts').signal_all('restart', args)
      end
      actions.restart()
    end,
  },
  logs = {
    complete = 'logs',
    fn = function(opts, args)
      local previous, names = take(args, '--previous')
      if previous then
        local name = names[1] and table.concat(names, ' ')
        return require('brummer.previous').open(name, open_opts(opts))
      end
      require('brummer.actions').logs(args[1] and table.concat(args, ' '), open_opts(opts))
    end,
  },
  errors = {
    complete = { '--quickfix', '--loclist' },
    fn = function(_, args)
      local loclist, rest = take(args, '--loclist')
      local _, names = take(rest, '--quickfix')
      require('brummer.errors').list({ loclist = loclist, name = names[1] })
    end,
  },
  next = {
    fn = function(opts, args)
      local count = opts.range > 0 and opts.count or tonumber(args[1]) or 1
      require('brummer.errors').jump(math.max(count, 1))
    end,
  },
  prev = {
    fn = function(opts, args)
      local count = opts.range > 0 and opts.count or tonumber(args[1]) or 1
      require('brummer.errors').jump(-math.max(count, 1))
    end,
  },
  clear = {
    complete = { '--undo' },
    fn = function(_, args)
      local undo, names = take(args, '--undo')
      require('brummer.actions').clear(names[1], undo)
    end,
  },
  explain = {
    fn = function()
      require('brummer.cursor').explain()
    end,
  },
  config = {
    complete = { 'reload' },
    fn = function(_, args)
      local settings = require('brummer.settings')
      if args[1] == 'reload' then
        settings.reload()
      elseif args[1] then
        notify.error((":Brummer config has no '%s'; it takes reload or nothing"):format(args[1]))
      else
        settings.show()
      end
    end,
  },
  health = {
    fn = function(opts)
      require('brummer.actions').health(open_opts(opts))
    end,
  },
  build = {
    fn = function()
      require('brummer.build').command()
    end,
  },
  open = {
    fn = function(opts)
      require('brummer.actions').open(open_opts(opts))
    end,
  },
  toggle = {
    fn = function(opts)
      require('brummer.actions').toggle(open_opts(opts))
    end,
  },
  help = {
    fn = function(_, args)
      local tag = args[1] and ('brummer-' .. args[1]) or 'brummer'
      local function open()
        return (pcall(vim.cmd.help, tag))
      end
      -- Put there by hand, the plugin has no help tags yet.
      if not open() and not (require('brummer.build').helptags() and open()) then
        notify.error(('no help for %s; see :help brummer'):format(args[1]))
      end
    end,
  },
  send = {
    complete = 'send',
    fn = function(_, _, raw)
      require('brummer.send').command(raw)
    end,
  },
  attach = {
    complete = 'terminals',
    fn = function(opts, args)
      require('brummer.actions').attach(args[1], open_opts(opts))
    end,
  },
  search = {
    complete = 'search',
    fn = function(opts, _, raw)
      require('brummer.search').command(raw, open_opts(opts))
    end,
  },
  filter = {
    complete = 'filter',
    fn = function(_, _, raw)
      require('brummer.filter').command(raw)
    end,
  },
  urls = {},
  web = {},
  mcp = {},
  report = {},
}

--- Names of the subcommands, sorted; those of later versions only when asked for.
---@param all? boolean
---@return string[]
function M.names(all)
  local names = {}
  for name, command in pairs(M.commands) do
    if all or command.fn then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

--- `:Brummer {subcommand}`; without one the dashboard.
---@param opts table
function M.brummer(opts)
  local name, raw = opts.args:match('^%s*(%S+)%s*(.-)%s*$')
  if not name then
    return require('brummer.actions').open(open_opts(opts))
  end
  local command = M.commands[name]
  if not command then
    return notify.error((":Brummer has no '%s'%s"):format(name, text.hint(name, M.names(true))))
  elseif not command.fn then
    return notify.say((':Brummer %s is not in this version'):format(name), vim.log.levels.WARN)
  end
  command.fn(opts, text.words(raw), raw)
end

return M
