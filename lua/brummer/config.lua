--- Options: the schema is the one source of type, default and description.
local M = {}

---@class (exact) brummer.Option
---@field name string
---@field type string[] what `type()` may say; 'enum' reads `values`
---@field values? string[]
---@field default any
---@field min? integer
---@field desc string

---@type brummer.Option[]
M.schema = {
  {
    name = 'binary',
    type = { 'string', 'nil' },
    desc = 'Path of the brummer program; found beside the plugin or on PATH when not set.',
  },
  {
    name = 'open',
    type = { 'enum', 'function' },
    values = { 'split', 'vsplit', 'tab', 'float', 'current' },
    default = 'split',
    desc = 'How a log is opened; a function gets the buffer and returns the window.',
  },
  {
    name = 'keys',
    type = { 'table', 'boolean' },
    default = {},
    desc = 'Keys of the views: `{ s = false, gs = "stop" }` removes and moves; false removes all.',
  },
  {
    name = 'icons',
    type = { 'enum' },
    values = { 'plain', 'nerd', 'ascii' },
    default = 'plain',
    desc = 'Glyphs of states and errors.',
  },
  {
    name = 'time',
    type = { 'boolean' },
    default = true,
    desc = 'Show when a line was printed, left of the log.',
  },
  {
    name = 'max_lines',
    type = { 'number' },
    min = 100,
    default = 10000,
    desc = 'Lines of a log that Neovim holds; the host keeps more.',
  },
  {
    name = 'winbar',
    type = { 'boolean' },
    default = true,
    desc = 'Show state, counts and follow above a log.',
  },
  {
    name = 'confirm_quit',
    type = { 'boolean' },
    default = false,
    desc = 'Ask under `:confirm qa` while something runs.',
  },
  {
    name = 'notify',
    type = { 'boolean', 'table' },
    default = true,
    desc = 'Notices; a table turns off single ones: failed, error, ready, not_ready, leftovers, restore, host, health.',
  },
  {
    name = 'session_restore',
    type = { 'boolean', 'enum' },
    values = { 'auto' },
    default = false,
    desc = "Keep what runs when Neovim is left; true offers it at the next start, 'auto' starts it.",
  },
  {
    name = 'log_level',
    type = { 'enum' },
    values = { 'error', 'warn', 'info', 'debug', 'trace' },
    default = 'info',
    desc = 'What the host writes to its log file.',
  },
}

---@class brummer.Config
---@field binary? string
---@field open string|fun(buf: integer): integer?
---@field keys table<string, string|false>|boolean
---@field icons 'plain'|'nerd'|'ascii'
---@field time boolean
---@field max_lines integer
---@field winbar boolean
---@field confirm_quit boolean
---@field notify boolean|table<string, boolean>
---@field session_restore boolean|'auto'
---@field log_level string

---@type table?
local given
---@type brummer.Config?
local merged
---@type string[]
local problems = {}
local reported = false

---@param option brummer.Option
---@param value any
---@return string? problem
local function check(option, value)
  for _, kind in ipairs(option.type) do
    if kind == 'enum' then
      if vim.tbl_contains(option.values, value) then
        return
      end
    elseif type(value) == kind then
      if option.min and value < option.min then
        return ("option '%s' is %s, at least %d is needed; using %d"):format(
          option.name,
          tostring(value),
          option.min,
          option.default
        )
      end
      return
    end
  end
  local want = {}
  for _, kind in ipairs(option.type) do
    -- No bars between the values: :checkhealth would hide them.
    want[#want + 1] = kind == 'enum' and table.concat(option.values, ', ') or kind
  end
  return ("option '%s' is %s, expected %s; using the default"):format(
    option.name,
    type(value) == 'string' and ("'%s'"):format(value) or type(value),
    table.concat(want, ' or ')
  )
end

--- Merges what the user gave over the defaults; a wrong option is named and its default used.
---@param user any
---@return brummer.Config
---@return string[] problems
function M.resolve(user)
  local out, found, names = {}, {}, {}
  if type(user) == 'function' then
    local ok, value = pcall(user)
    if not ok then
      found[#found + 1] = 'vim.g.brummer raised: ' .. tostring(value)
    end
    user = ok and value or nil
  end
  if user ~= nil and type(user) ~= 'table' then
    found[#found + 1] = ('options are a %s, expected a table'):format(type(user))
    user = nil
  end
  for _, option in ipairs(M.schema) do
    names[#names + 1] = option.name
    out[option.name] = vim.deepcopy(option.default)
    local value = (user or {})[option.name]
    if value ~= nil then
      local problem = check(option, value)
      if problem then
        found[#found + 1] = problem
      else
        out[option.name] = value
      end
    end
  end
  for key in pairs(user or {}) do
    if not vim.tbl_contains(names, key) then
      found[#found + 1] = ("unknown option '%s'%s"):format(
        key,
        require('brummer.text').hint(tostring(key), names)
      )
    end
  end
  table.sort(found)
  return out, found
end

--- Stores options; they are read when first needed.
---@param opts? table
function M.setup(opts)
  given, merged, reported = opts, nil, false
  if opts and opts.session_restore and vim.v.vim_did_enter == 1 then
    require('brummer.session').offer()
  end
end

--- The resolved options.
---@return brummer.Config
function M.get()
  if not merged then
    local user = given == nil and vim.g.brummer or given
    merged, problems = M.resolve(user)
    if #problems > 0 and not reported then
      reported = true
      local more = #problems > 1 and (' (%d more in :checkhealth brummer)'):format(#problems - 1)
        or ''
      require('brummer.notify').say(problems[1] .. more, vim.log.levels.WARN)
    end
  end
  return merged
end

--- What is wrong with the options, worded for the user.
---@return string[]
function M.problems()
  M.get()
  return problems
end

---@type table<string, table<string, string>>
local icons = {
  plain = {
    running = '●',
    pending = '…',
    success = '✓',
    failed = '✗',
    stopped = '○',
    error = '✗',
    warning = '!',
    open = '▾',
    closed = '▸',
    dot = '·',
    cut = '…',
  },
  nerd = {
    running = '',
    pending = '󰔟',
    success = '',
    failed = '',
    stopped = '',
    error = '',
    warning = '',
  },
  ascii = {
    running = '*',
    pending = '~',
    success = '+',
    failed = 'x',
    stopped = 'o',
    error = 'x',
    warning = '!',
    open = 'v',
    closed = '>',
    dot = '-',
    cut = '...',
  },
}

--- A glyph, by what it stands for.
---@param name string
---@return string
function M.icon(name)
  return icons[M.get().icons][name] or icons.plain[name] or '?'
end

return M
