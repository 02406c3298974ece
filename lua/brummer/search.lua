--- Searching everything the host keeps: `:Brummer search`, and `g/` with the last pattern of `/`.
local host = require('brummer.host')
local notify = require('brummer.notify')
local target = require('brummer.target')

local M = {}

---@class brummer.SearchOpts
---@field all? boolean all projects
---@field previous? boolean earlier sessions, too
---@field name? string only that log
---@field root? string
---@field open? brummer.OpenOpts

---@type string what was looked for last
local last = ''
local numbers = 0

--- Starts a search; its buffer opens when the host has taken it.
---@param query string
---@param opts brummer.SearchOpts
local function start(query, opts)
  local views = require('brummer.ui.view')
  numbers = numbers + 1
  local buf = views.buffer(('brummer://search/%d'):format(numbers))
  local view = views.get(buf) --[[@as brummer.SearchView]]
  last = query
  view.root, view.query, view.opts = opts.root, query, opts
  require('brummer.ui.search').start(view, function(err)
    if err then
      pcall(vim.api.nvim_buf_delete, buf, { force = true })
      return notify.failed(err)
    end
    require('brummer.ui.window').open(buf, opts.open)
  end)
end

--- Searches everything, newest first to be found.
---@param query string in the grammar of filters
---@param opts? brummer.SearchOpts
function M.run(query, opts)
  opts = opts or {}
  if opts.all or opts.root then
    return start(query, opts)
  end
  target.with_root(function(root)
    start(query, vim.tbl_extend('force', opts, { root = root }))
  end)
end

--- Asks what to search for.
---@param default? string
---@param opts? brummer.SearchOpts
function M.ask(default, opts)
  vim.ui.input({
    prompt = 'Search all logs for: ',
    default = default or last,
    kind = 'brummer.search',
    completion = "customlist,v:lua.require'brummer.complete'.filter",
  }, function(answer)
    -- The question would stay on the screen.
    vim.api.nvim_echo({ { '' } }, false, {})
    if answer and vim.trim(answer) ~= '' then
      M.run(vim.trim(answer), opts)
    end
  end)
end

--- `g/`: the last pattern of `/`. What the host's regular expressions cannot say is asked for.
function M.last_pattern()
  local pattern = vim.fn.getreg('/')
  if pattern == '' then
    return M.ask()
  end
  local regex = require('brummer.regex').translate(pattern, {
    ignorecase = vim.o.ignorecase,
    smartcase = vim.o.smartcase,
  })
  if regex then
    return M.run(('/%s/'):format(regex))
  end
  M.ask(('/%s/'):format(pattern:gsub('\\?/', '\\/')))
end

--- `:Brummer search [--previous] [--all] [PATTERN]`.
---@param raw string
---@param open? brummer.OpenOpts
function M.command(raw, open)
  local opts = { open = open } ---@type brummer.SearchOpts
  while true do
    local flag, rest = raw:match('^%-%-(%S*)%s*(.*)$')
    if not flag then
      break
    end
    raw = rest
    if flag == '' then
      break
    elseif flag ~= 'all' and flag ~= 'previous' then
      local what = ":Brummer search has no '--%s'%s"
      local hint = require('brummer.text').hint(flag, { 'all', 'previous' })
      return notify.error(what:format(flag, hint))
    end
    opts[flag] = true
  end
  if raw == '' then
    return M.ask(nil, opts)
  end
  M.run(raw, opts)
end

--- Ends a search, which may be over.
---@param view brummer.SearchView
function M.unsearch(view)
  if view.running then
    view.running = false
    if require('brummer.rpc').attached() then
      host.call('unsearch', { buf = view.buf })
    end
  end
end

return M
