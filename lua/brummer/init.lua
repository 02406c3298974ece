--- The public API: `require('brummer')`.
local M = {}

--- Stores options. Optional: `vim.g.brummer` does the same.
---@param opts? table
function M.setup(opts)
  require('brummer.config').setup(opts)
end

---@class brummer.ApiRunOpts
---@field args? string[]
---@field root? string
---@field open? boolean false opens no window
---@field another? boolean also when another Neovim runs it

--- Runs a script, several scripts, or with `!` in front a command line.
---@param names string|string[]
---@param opts? brummer.ApiRunOpts
function M.run(names, opts)
  opts = opts or {}
  names = type(names) == 'table' and names or { names }
  local command = names[1]:match('^!%s*(.*)$')
  local open = nil ---@type false?
  if opts.open == false then
    open = false
  end
  require('brummer.scripts').start({
    root = opts.root,
    names = not command and names or nil,
    command = command,
    args = opts.args,
    open = open,
    another = opts.another,
  })
end

--- Stops a process; without a name as |:Brummer-stop| does.
---@param name? string
function M.stop(name)
  require('brummer.scripts').signal('stop', name)
end

--- Runs a process again.
---@param name? string
function M.restart(name)
  require('brummer.scripts').signal('restart', name)
end

--- What is known of the processes, all or of one project.
---@param root? string
---@return brummer.Row[]
function M.processes(root)
  return vim.deepcopy(require('brummer.state').rows(root))
end

--- Gives the errors of the current project to `cb`, newest run first.
---@param cb fun(errors: brummer.Error[])
function M.errors(cb)
  local root = require('brummer.project').current()
  require('brummer.host').call('errors', { root = root }, function(_, value)
    cb(value and value.errors or {})
  end)
end

--- `● 3  ✗ 2`, or '' when nothing runs. A cached string: free to call on each redraw.
---@return string
function M.statusline()
  local state = package.loaded['brummer.state']
  return state and state.statusline() or ''
end

--- Opens the next (negative: previous) error of all processes.
---@param count? integer
function M.jump(count)
  require('brummer.errors').jump(count or 1)
end

--- Searches everything that is kept of the project; `query` is a filter, |brummer-filter|.
---@param query string
---@param opts? { all?: boolean, previous?: boolean, name?: string, root?: string }
function M.search(query, opts)
  require('brummer.search').run(query, opts and vim.deepcopy(opts))
end

local EVENTS = {
  started = 'BrummerProcessStarted',
  ready = 'BrummerProcessReady',
  exited = 'BrummerProcessExited',
  error = 'BrummerErrorDetected',
  url = 'BrummerUrlDetected',
  health = 'BrummerHealthChanged',
  host_down = 'BrummerHostDown',
}

--- Calls `fn` with the data of an event: `started`, `ready`, `exited`, `error`, `url`, `health`
--- or `host_down`.
---@param event string
---@param fn fun(data: table)
---@return fun() off
function M.on(event, fn)
  local pattern = EVENTS[event]
  if not pattern then
    local hint = require('brummer.text').hint(event, vim.tbl_keys(EVENTS))
    error(("brummer has no event '%s'%s"):format(event, hint), 2)
  end
  local id = vim.api.nvim_create_autocmd('User', {
    pattern = pattern,
    desc = 'brummer: on ' .. event,
    callback = function(args)
      fn(args.data)
    end,
  })
  return function()
    pcall(vim.api.nvim_del_autocmd, id)
  end
end

--- The row of a process of the current project, nil when it has not run.
---@param name string
---@return brummer.Row?
function M.status(name)
  local state = require('brummer.state')
  local root = require('brummer.project').current()
  local row = root and state.match(root, name)
  if not row then
    for _, other in ipairs(state.rows()) do
      row = row or (other.name == name and other or nil)
    end
  end
  return row and vim.deepcopy(row) or nil
end

return M
