--- Completion: answered from what Lua knows, also with no host, without waiting.
local M = {}

---@alias brummer.Completion 'scripts'|'running'|'stop'|'send'|'terminals'|'logs'|'filter'|'search'|string[]

---@param list string[]
---@param lead string
---@return string[]
local function matching(list, lead)
  return vim.tbl_filter(function(item)
    return item:sub(1, #lead) == lead
  end, list)
end

---@param rows brummer.Row[]
---@return string[]
local function names_of(rows)
  return vim.tbl_map(function(row)
    return row.name
  end, rows)
end

---@param what? brummer.Completion
---@param root string
---@return string[] names
---@return string[] flags
local function candidates(what, root)
  local state = require('brummer.state')
  if what == 'scripts' then
    local catalog = require('brummer.catalog')
    catalog.refresh(root)
    local flags = { '--last' }
    flags[2] = require('brummer.session').saved(root) and '--restore' or nil
    return catalog.names(root), flags
  elseif what == 'stop' then
    return names_of(state.running(root)), { '--all', '--leftovers' }
  elseif what == 'send' then
    return names_of(state.running(root)), { '--eof' }
  elseif what == 'terminals' then
    local with = vim.tbl_filter(function(row)
      return row.terminal or false
    end, state.rows(root))
    return names_of(with), {}
  elseif what == 'running' then
    return names_of(state.running(root)), {}
  end
  return names_of(state.rows(root)), { '--previous' }
end

--- The words of a filter: what it was last, then what has a meaning of its own.
---@param lead string
---@return string[]
local function filter_words(lead)
  local words, seen = { 'errors', 'level:error', 'level:warn', 'stream:err', 'since:10m' }, {}
  local root = require('brummer.project').current()
  for _, name in ipairs(names_of(root and require('brummer.state').rows(root) or {})) do
    local word = 'process:' .. name
    if not name:find('%s') and not seen[word] then
      seen[word] = true
      words[#words + 1] = word
    end
  end
  local not_ = lead:match('^%-') or ''
  return matching(
    vim.tbl_map(function(word)
      return not_ .. word
    end, words),
    lead
  )
end

--- Of a question for a filter.
---@param lead string
---@return string[]
function M.filter(lead)
  return filter_words(lead)
end

--- A name as it has to be typed.
---@param name string
---@return string
local function typed(name)
  return (name:gsub('[%s"\'\\]', '\\%0'):gsub('^!', '\\!'))
end

--- How the names that begin with the last of the words go on: `run` after `cargo`.
---@param names string[]
---@param words string[]
---@return string[]
local function continued(names, words)
  local out = {}
  for first = 1, #words do
    local begun = table.concat(words, ' ', first) .. ' '
    for _, name in ipairs(names) do
      if vim.startswith(name, begun) then
        out[#out + 1] = name:sub(#begun + 1)
      end
    end
  end
  return out
end

---@param what? brummer.Completion
---@param rest string the arguments up to the cursor
---@param lead string
---@return string[]
local function complete(what, rest, lead)
  local words = require('brummer.text').words(rest)
  if lead ~= '' then
    words[#words] = nil
  end
  if what == 'filter' or what == 'search' then
    local flags = what == 'filter' and { '--off' } or { '--all', '--previous' }
    return vim.list_extend(filter_words(lead), rest:find('^%-*%a*$') and matching(flags, lead) or {})
  elseif what == nil or rest:find('^!') or vim.tbl_contains(words, '--') then
    return {}
  elseif type(what) == 'table' then
    return matching(what, lead)
  end
  local root = require('brummer.project').current()
  local names, flags = {}, {}
  if root then
    names, flags = candidates(what, root)
  elseif what == 'stop' then
    flags = { '--leftovers' }
  end
  local used = require('brummer.catalog').join(words, names)
  local fresh = vim.tbl_filter(function(name)
    return not vim.tbl_contains(used, name)
  end, names)
  local offered = vim.list_extend(continued(fresh, words), fresh)
  local found = matching(vim.tbl_map(typed, offered), lead)
  if #found == 0 and lead ~= '' and root and what == 'scripts' then
    for word, name in pairs(require('brummer.catalog').bare(root)) do
      if vim.startswith(word, lead) and not vim.tbl_contains(used, name) then
        found[#found + 1] = typed(name)
      end
    end
    table.sort(found)
  end
  return #words == 0 and vim.list_extend(found, matching(flags, lead)) or found
end

--- Of `:BrummerRun`.
---@param lead string
---@param line string
---@param pos integer
---@return string[]
function M.run(lead, line, pos)
  local rest = line:sub(1, pos):match('BrummerRun!?%s+(.*)$') or ''
  return complete('scripts', rest, lead)
end

--- Of `:Brummer`.
---@param lead string
---@param line string
---@param pos integer
---@return string[]
function M.brummer(lead, line, pos)
  local commands = require('brummer.commands')
  local rest = line:sub(1, pos):match('Brummer!?%s+(.*)$') or ''
  local name, tail = rest:match('^(%S+)%s+(.*)$')
  if not name then
    return matching(commands.names(), lead)
  end
  local command = commands.commands[name]
  return command and command.fn and complete(command.complete, tail, lead) or {}
end

return M
