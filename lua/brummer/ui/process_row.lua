--- One row of the list of processes: its columns, and which of them fit. Pure.
local config = require('brummer.config')
local state = require('brummer.state')
local text = require('brummer.text')

local M = {}

local INDENT, GAP = 3, 2
-- Cells of the columns that have the same width in every list.
local CPU, MEMORY, ERRORS = 8, 6, 8
-- What is left running and named one by one.
local NAMED = 3

M.GROUP = {
  running = 'BrummerRunning',
  pending = 'BrummerPending',
  success = 'BrummerSuccess',
  failed = 'BrummerFailed',
  stopped = 'BrummerStopped',
}

---@class brummer.RowLayout
---@field width integer cells of a row
---@field level integer how many groups of columns have left: tool, cpu and memory, package, uptime
---@field icon integer
---@field name integer
---@field project integer 0: there is one project
---@field package integer
---@field ports integer
---@field state integer
---@field usage boolean
---@field tool integer

--- What tells the projects of a list apart.
---@param row brummer.Row
---@return string
function M.project(row)
  return vim.fs.basename(row.root)
end

--- The name without its package, where another column has that.
---@param row brummer.Row
---@param short boolean
---@return string
local function name_of(row, short)
  local prefix = short and row.package and row.package .. '/'
  return prefix and vim.startswith(row.name, prefix) and row.name:sub(#prefix + 1) or row.name
end

---@param row brummer.Row
---@param level integer of the layout: in a narrow one one port is named
---@return string
local function ports(row, level)
  local list = {}
  for i, port in ipairs(row.state == 'running' and row.ports or {}) do
    list[i] = i <= (level < 2 and 2 or 1) and ':' .. port or nil
  end
  local more = #(row.ports or {}) - #list
  if more > 0 and #list > 0 then
    list[#list + 1] = '+' .. more
  end
  return table.concat(list, ' ')
end

--- How a row that runs is.
---@param row brummer.Row
---@param uptime boolean
---@return string
local function up(row, uptime)
  if state.stopping(row) then
    return 'stopping'
  elseif row.ready == 'waiting' or row.ready == 'failed' then
    return 'not ready'
  end
  local word = row.ready == 'ready' and 'ready' or 'up'
  if not uptime or not row.started_at then
    return word
  end
  return ('%s %s'):format(word, text.duration(math.max(os.time() * 1000 - row.started_at, 1000)))
end

--- How a row that does not run is, what matters most first.
---@param row brummer.Row
---@return string[]
local function status(row)
  if row.state == 'pending' then
    return { row.waiting or row.reason or 'starting' }
  end
  local words = { state.ending(row) }
  if row.ended_at then
    words[2] = text.ago(row.ended_at)
    if row.started_at and row.state ~= 'stopped' then
      words[3] = text.duration(math.max(row.ended_at - row.started_at, 0))
    end
  end
  return words
end

---@param row brummer.Row
---@return string
local function tool(row)
  local said = row.script ~= '' and row.script or row.command
  -- `cargo run` is named after what it does.
  return said ~= row.name and said or ''
end

--- The columns of a list that is `width` cells wide.
---@param rows brummer.Row[]
---@param width integer
---@return brummer.RowLayout
function M.layout(rows, width)
  local it ---@type brummer.RowLayout
  local function most(least, fn, arg)
    local cells = least
    for _, row in ipairs(rows) do
      cells = math.max(cells, vim.fn.strdisplaywidth(fn(row, arg)))
    end
    return cells
  end
  local function any(fn)
    return vim.iter(rows):any(fn)
  end
  local icon = most(1, function(row)
    return config.icon(row.state)
  end)
  local several = any(function(row)
    return row.root ~= rows[1].root
  end)
  local probed = any(function(row)
    return row.ready ~= nil
  end)
  local usage = any(function(row)
    return row.cpu ~= nil or row.memory ~= nil
  end)
  for level = 0, 4 do
    local short = level < 3
    it = {
      width = width,
      level = level,
      icon = icon,
      usage = usage and level < 2,
      name = math.min(most(4, name_of, short), width < 100 and 20 or 28),
      project = several and math.min(most(1, M.project), 12) or 0,
      package = short and math.min(
        most(0, function(row)
          return row.package or ''
        end),
        12
      ) or 0,
      ports = math.min(most(0, ports, level), 15),
      -- Of `up 12m` and `ready 3h 5m`, which grow while one looks.
      state = most(level == 4 and 2 or probed and 11 or 9, function(row)
        return row.state == 'running' and up(row, level < 4) or ''
      end),
      tool = level < 1 and math.min(most(0, tool), 12) or 0,
    }
    local ends = any(function(row)
      return row.state ~= 'running'
    end)
    if ends and level < 4 then
      -- Room for `stopped · 12 s ago`.
      local region = M.region(it)
      it.state = it.state + math.max(18 - region, 0)
    end
    local sum = INDENT + icon + 1 + it.name + GAP + M.region(it) + GAP + ERRORS
    for _, cells in ipairs({ it.project, it.package, it.tool }) do
      sum = sum + (cells > 0 and cells + GAP or 0)
    end
    if sum <= width then
      return it
    elseif level == 4 then
      it.name = math.max(it.name - (sum - width), 8)
    end
  end
  return it
end

--- Cells from the ports to the memory, in which a row that does not run says how it is.
---@param it brummer.RowLayout
---@return integer
function M.region(it)
  return (it.ports > 0 and it.ports + GAP or 0)
    + it.state
    + (it.usage and CPU + MEMORY + 2 * GAP or 0)
end

--- As many of the words as fit.
---@param words string[]
---@param cells integer
---@return string
local function fitting(words, cells)
  local dot = (' %s '):format(config.icon('dot'))
  for count = #words, 2, -1 do
    local joined = table.concat(words, dot, 1, count)
    if vim.fn.strdisplaywidth(joined) <= cells then
      return joined
    end
  end
  return words[1] or ''
end

--- Columns from how it is to its errors and tool: text, cells, group.
---@param row brummer.Row
---@param it brummer.RowLayout
---@param left integer cells up to the end of the row
---@return { [1]: string, [2]: integer, [3]: string }[]
local function columns(row, it, left)
  local group = M.GROUP[row.state]
  local errors = row.errors > 0 and text.plural(row.errors, 'error') or ''
  local list = {}
  if row.state == 'running' then
    if it.ports > 0 then
      list[1] = { ports(row, it.level), it.ports, 'BrummerPort' }
    end
    local usable = row.ready ~= 'waiting' and row.ready ~= 'failed' and not state.stopping(row)
    list[#list + 1] = { up(row, it.level < 4), it.state, usable and group or 'BrummerNotReady' }
    if it.usage then
      local cpu = row.cpu and ('cpu %d%%'):format(math.floor(row.cpu / 10 + 0.5)) or ''
      local memory = row.memory and text.bytes(row.memory) or ''
      list[#list + 1] = { cpu, CPU, 'BrummerUsage' }
      memory = (' '):rep(MEMORY - vim.fn.strdisplaywidth(memory)) .. memory
      list[#list + 1] = { memory, MEMORY, 'BrummerUsage' }
    end
  else
    local said = fitting(status(row), M.region(it))
    if vim.fn.strdisplaywidth(said) > M.region(it) and errors == '' then
      -- There is nothing behind it that it could stand in the way of.
      return { { said, left, group } }
    end
    list[1] = { said, M.region(it), group }
  end
  list[#list + 1] = { errors, ERRORS, 'BrummerErrorCount' }
  if it.tool > 0 then
    list[#list + 1] = { tool(row), 0, 'BrummerCommand' }
  end
  return list
end

--- One row as text and the highlights in it.
---@param row brummer.Row
---@param it brummer.RowLayout
---@return string line
---@return brummer.RowMark[] marks
function M.render(row, it)
  local line, cells, marks = (' '):rep(INDENT), INDENT, {}
  local function put(said, wide, group, gap)
    wide = wide > 0 and wide or math.max(it.width - cells, 0)
    local piece = text.pad(said, wide)
    marks[#marks + 1] = { #line, #line + #piece, group }
    line = line .. piece .. (' '):rep(gap)
    cells = cells + wide + gap
  end
  put(config.icon(row.state), it.icon, M.GROUP[row.state], 1)
  put(name_of(row, it.level < 3), it.name, 'BrummerName', GAP)
  if it.project > 0 then
    put(M.project(row), it.project, 'BrummerPackage', GAP)
  end
  if it.package > 0 then
    put(row.package or '', it.package, 'BrummerPackage', GAP)
  end
  for _, col in ipairs(columns(row, it, it.width - cells)) do
    put(col[1], col[2], col[3], GAP)
  end
  return (line:gsub('%s+$', '')), marks
end

--- What stands beneath a row: where it can be reached, why it is not ready, what it left running.
---@param row brummer.Row
---@return { [1]: string, [2]: string, [3]: string }[] key, text, group
function M.below(row)
  local list = {}
  local url = require('brummer.served').url(row)
  if url then
    list[1] = { 'url', url, 'BrummerUrl' }
  end
  if row.state == 'running' and row.ready == 'failed' and row.not_ready then
    list[#list + 1] = { 'ready', row.not_ready, 'BrummerNotReady' }
  end
  if row.elsewhere then
    local said = ('in another Neovim (pid %d)'):format(row.elsewhere)
    list[#list + 1] = { 'elsewhere', said, 'BrummerCommand' }
  end
  local left = row.left or {}
  for i, one in ipairs(left) do
    if i <= NAMED or #left == NAMED + 1 then
      local said = ('left running: %s (%d)'):format(one.name, one.pid)
      local may = one.exempt and ', may stay' or ''
      local group = one.exempt and 'BrummerCommand' or 'BrummerLeft'
      list[#list + 1] = { 'left' .. one.pid, said .. may, group }
    end
  end
  if #left > NAMED + 1 then
    local said = ('left running: %d more'):format(#left - NAMED)
    list[#list + 1] = { 'left', said, 'BrummerLeft' }
  end
  return list
end

return M
