--- Completion: answered from what Lua knows, also with no host, without waiting.
local M = {}

---@param list string[]
---@param lead string
---@return string[]
local function matching(list, lead)
  return vim.tbl_filter(function(item)
    return item:sub(1, #lead) == lead
  end, list)
end

---@param what 'scripts'|'running'|'logs'|string[]|nil
---@param words string[]
---@return string[]
local function candidates(what, words)
  if what == nil then
    return {}
  elseif type(what) == 'table' then
    return what
  end
  local project, state = require('brummer.project'), require('brummer.state')
  local root = project.current()
  if not root then
    return {}
  end
  local names = {}
  if what == 'scripts' then
    names = project.scripts(root)
    if #words == 0 then
      table.insert(names, '--last')
    end
  else
    for _, row in ipairs(what == 'running' and state.running(root) or state.rows(root)) do
      names[#names + 1] = row.name
    end
  end
  return vim.tbl_filter(function(name)
    return not vim.tbl_contains(words, name)
  end, names)
end

--- A name as it has to be typed.
---@param name string
---@return string
local function typed(name)
  return (name:gsub('[%s"\'\\]', '\\%0'))
end

---@param what 'scripts'|'running'|'logs'|string[]|nil
---@param rest string the arguments up to the cursor
---@param lead string
---@return string[]
local function complete(what, rest, lead)
  local words = require('brummer.text').words(rest)
  if lead ~= '' then
    words[#words] = nil
  end
  if rest:find('^!') or vim.tbl_contains(words, '--') then
    return {}
  end
  return matching(vim.tbl_map(typed, candidates(what, words)), lead)
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
