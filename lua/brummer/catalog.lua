--- What Lua knows of the things a project can run: what the host listed last, what it runs, and the names that
--- stand in package.json and .brum.toml. Asking never waits.
local M = {}

local MAX_BYTES = 1024 * 1024
-- How old what was listed may be before completion has it listed again.
local FRESH_MS = 2000

---@class brummer.Script
---@field name string
---@field package? string
---@field kind? string the tool: npm, cargo, make…
---@field command? string
---@field cwd? string
---@field file? string
---@field line? integer
---@field priority? integer
---@field bare? string a word it answers to, too

---@class brummer.Listing
---@field root string
---@field project? string
---@field manager? string
---@field here? string the package that was asked about
---@field scripts brummer.Script[]
---@field sets? table<string, string[]>
---@field packages? { name: string, path: string }[]

---@type table<string, brummer.Listing>
local listed = {}
---@type table<string, integer> root -> when it was asked for
local asked = {}
---@type table<string, { stamp: string, names: string[] }>
local cache = {}

--- The name a user types.
---@param script brummer.Script
---@return string
function M.label(script)
  local prefix = script.package and script.package .. '/'
  return prefix and not vim.startswith(script.name, prefix) and prefix .. script.name or script.name
end

--- Remembers what the host listed.
---@param value table
---@return brummer.Listing
function M.remember(value)
  local sets = {}
  for name, set in pairs(value.sets or {}) do
    -- A list of tables, or a table of lists.
    if type(name) == 'number' then
      sets[set.name] = set.scripts
    else
      sets[name] = set
    end
  end
  local listing = vim.tbl_extend('force', value, { scripts = value.scripts or {}, sets = sets })
  listed[value.root] = listing
  asked[value.root] = vim.uv.now()
  return listing
end

--- What the host listed last, nil when it has not.
---@param root string
---@return brummer.Listing?
function M.get(root)
  return listed[root]
end

--- Has a project listed again, for later. The host is not started for it.
---@param root string
function M.refresh(root)
  if asked[root] and vim.uv.now() - asked[root] < FRESH_MS then
    return
  end
  asked[root] = vim.uv.now()
  local host = require('brummer.host')
  if host.state() == 'ready' then
    host.call('scripts', { dir = root }, function(_, value)
      if value and value.root then
        M.remember(value)
      end
    end)
    return
  end
  local program = host.state() == 'down' and require('brummer.binary').find()
  if program then
    local command = { program, 'scripts', '--json' }
    pcall(vim.system, command, { cwd = root, text = true, timeout = 5000 }, function(done)
      local ok, value = pcall(vim.json.decode, done.stdout or '', { luanil = { object = true } })
      if done.code == 0 and ok and type(value) == 'table' and value.root then
        vim.schedule(function()
          M.remember(value)
        end)
      end
    end)
  end
end

--- Names that a file of the project gives, read again when it has changed.
---@param path string
---@param names_in fun(text: string): string[]
---@return string[]
local function read(path, names_in)
  local stat = vim.uv.fs_stat(path)
  if not stat or stat.type ~= 'file' or stat.size > MAX_BYTES then
    return {}
  end
  local stamp = ('%d.%d.%d'):format(stat.mtime.sec, stat.mtime.nsec, stat.size)
  if not cache[path] or cache[path].stamp ~= stamp then
    local file = io.open(path, 'r')
    local ok, names = pcall(names_in, file and file:read('*a') or '')
    if file then
      file:close()
    end
    cache[path] = { stamp = stamp, names = ok and names or {} }
  end
  return cache[path].names
end

---@param text string
---@return string[]
local function package_json(text)
  local json = vim.json.decode(text)
  local names = {}
  for name in pairs(type(json.scripts) == 'table' and json.scripts or {}) do
    names[#names + 1] = type(name) == 'string' and name or nil
  end
  table.sort(names)
  return names
end

--- The names of `[scripts.NAME]` and `[sets]`: enough to complete them.
---@param text string
---@return string[]
local function brum_toml(text)
  local names, section = {}, nil
  for line in text:gmatch('[^\r\n]+') do
    local header = line:match('^%s*%[([^%[].-)%]%s*#?')
    if header then
      section = vim.trim(header)
      local script = section:match('^scripts%s*%.%s*"(.-)"') or section:match("^scripts%s*%.%s*'(.-)'")
      names[#names + 1] = script or section:match('^scripts%s*%.%s*([%w_-]+)')
    elseif section == 'sets' then
      local set = line:match('^%s*"(.-)"%s*=') or line:match("^%s*'(.-)'%s*=")
      names[#names + 1] = set or line:match('^%s*([%w_-]+)%s*=')
    end
  end
  return names
end

--- Every name Lua knows of a root that can be run: scripts, then sets.
---@param root string
---@return string[]
function M.names(root)
  local names, seen = {}, {}
  local function add(list)
    for _, name in ipairs(list) do
      if not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  add(read(vim.fs.joinpath(root, 'package.json'), package_json))
  add(read(vim.fs.joinpath(root, '.brum.toml'), brum_toml))
  local listing = listed[root]
  if listing then
    add(vim.tbl_map(M.label, listing.scripts))
    local sets = vim.tbl_keys(listing.sets)
    table.sort(sets)
    add(sets)
  end
  for _, row in ipairs(require('brummer.state').rows(root)) do
    -- The name of a command line is that line: it is run by `!`.
    if row.script ~= row.name then
      add({ row.name })
    end
  end
  return names
end

--- The package a directory is in: the innermost.
---@param root string
---@param dir? string
---@return string?
function M.package_of(root, dir)
  local nearest, depth = nil, 0
  for _, package in ipairs(dir and listed[root] and listed[root].packages or {}) do
    local path = vim.fs.normalize(package.path, { expand_env = false })
    path = vim.startswith(path, '/') and path or vim.fs.joinpath(root, path)
    if #path > depth and path ~= root and vim.startswith(dir .. '/', path .. '/') then
      nearest, depth = package.name, #path
    end
  end
  return nearest
end

--- The words by which scripts are found besides their names: `web` for `procfile web`.
---@param root string
---@return table<string, string> bare word -> name
function M.bare(root)
  local out = {}
  for _, script in ipairs(listed[root] and listed[root].scripts or {}) do
    if script.bare and not script.package then
      out[script.bare] = M.label(script)
    end
  end
  return out
end

--- Words as names, as many words as possible in one: `cargo run` needs no quotes. The host does the same.
---@param words string[]
---@param known string[]
---@return string[]
function M.join(words, known)
  local is = {} ---@type table<string, boolean>
  for _, name in ipairs(known) do
    is[name] = true
  end
  local out, at = {}, 1
  while at <= #words do
    local stop = at
    for last = #words, at + 1, -1 do
      if is[table.concat(words, ' ', at, last)] then
        stop = last
        break
      end
    end
    out[#out + 1] = table.concat(words, ' ', at, stop)
    at = stop + 1
  end
  return out
end

return M
