--- What is wrong in a health report, in one line, and what to do about it. Pure.
local columns = require('brummer.ui.columns')
local text = require('brummer.text')

local M = {}

local SEVERITY = require('brummer.news').SEVERITY
local RELOAD = ' in .brum.toml and :Brummer config reload'

--- How short memory is, in words.
M.PRESSURE = { warning = 'short', critical = 'very short' }

---@param component table
---@return integer
function M.severity(component)
  return SEVERITY[component.state] or 0
end

--- The budget of that name.
---@param report table
---@param name string
---@return table
local function budget(report, name)
  return vim.iter(report.budgets or {}):find(function(it)
    return it.name == name
  end) or {}
end

--- Whether no further process can be started.
---@param report table
---@return boolean
local function crowded(report)
  local processes = budget(report, 'processes')
  return (processes.limit or 0) > 0 and processes.used >= processes.limit
end

--- Parts in fallback mode because the settings say so, not because they failed.
---@param report table
---@return string[]
local function fallback(report)
  local names = {}
  for _, it in ipairs(report.components or {}) do
    if it.mode == 'fallback' and M.severity(it) == 0 then
      names[#names + 1] = it.name
    end
  end
  return names
end

--- What is wrong, worst first, and how bad the worst of it is: 0 when all is well, 3 at most.
---@param report table
---@return string said
---@return integer severity
function M.summary(report)
  local parts, worst = {}, 0
  for _, it in ipairs(columns.worst_first(report.components or {}, M.severity)) do
    if M.severity(it) > 0 then
      worst = math.max(worst, M.severity(it))
      parts[#parts + 1] = ('%s %s'):format(it.name, it.state)
    end
  end
  local pressure = report.memory and report.memory.pressure
  if M.PRESSURE[pressure] then
    worst = math.max(worst, pressure == 'critical' and 2 or 1)
    parts[#parts + 1] = 'memory ' .. M.PRESSURE[pressure]
  end
  if crowded(report) then
    worst = math.max(worst, 1)
    parts[#parts + 1] = 'no further process can start'
  end
  local leaked = budget(report, 'tasks').leaked or 0
  if leaked > 0 then
    worst = math.max(worst, 2)
    parts[#parts + 1] = ('%s without an owner'):format(text.plural(leaked, 'task'))
  end
  if #parts == 0 then
    local names = fallback(report)
    parts[1] = 'all is well'
    parts[2] = #names > 0 and 'fallback mode: ' .. table.concat(names, ', ') or nil
  end
  return table.concat(parts, ' · '), worst
end

--- What the user can do, what helps most first.
---@param report table
---@return string[]
function M.advice(report)
  local out = {}
  local memory = report.memory or {}
  if M.PRESSURE[memory.pressure] then
    out[#out + 1] = 'run less at once, or raise resources.memory_limit_mb' .. RELOAD
  end
  if crowded(report) then
    out[#out + 1] = 'stop a process, or raise process_manager.max_processes' .. RELOAD
  end
  if (budget(report, 'tasks').leaked or 0) > 0 then
    out[#out + 1] = 'a fault of brummer: please report it; restart Neovim when it suits you'
  end
  local worst = 0
  for _, it in ipairs(report.components or {}) do
    -- Of the part that looks after memory the first advice has said enough.
    if it.name ~= 'resource' or #out == 0 then
      worst = math.max(worst, M.severity(it))
    end
  end
  if worst == 3 then
    out[#out + 1] = 'it is tried again every 30 s; if it stays so, restart Neovim and look into '
      .. "the host's log file (:checkhealth brummer names it)"
  elseif worst > 0 then
    out[#out + 1] = 'nothing to do for now: it is tried every 30 s and heals by itself'
  end
  return out
end

return M
