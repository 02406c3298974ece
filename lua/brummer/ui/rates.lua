--- Lines and errors a second of each process over the last while, as bars. What the rows of the process list say is enough:
--- they come four times a second while a process prints.
local config = require('brummer.config')
local state = require('brummer.state')

local M = {}

-- Seconds shown.
local SPAN = 20

local BARS = { '▁', '▂', '▃', '▅', '▇' }
local ASCII = { '.', ':', '-', '=', '#' }

---@class (exact) brummer.Rates
---@field lines integer total when last looked at
---@field errors integer
---@field run integer
---@field at integer the newest second
---@field seconds table<integer, { lines: integer, errors: integer }>

---@type table<integer, brummer.Rates>
local rates = {}
local counting = false

---@return integer
local function now()
  return math.floor(vim.uv.now() / 1000)
end

--- A row has changed.
---@param row brummer.Row
function M.note(row)
  local it = rates[row.id]
  if not it then
    -- What was printed before it was known has no second.
    it = { lines = row.lines, errors = row.errors, run = row.run, at = now(), seconds = {} }
    rates[row.id] = it
  end
  if it.run ~= row.run then
    it.run, it.errors = row.run, 0
  end
  local lines, errors = row.lines - it.lines, row.errors - it.errors
  it.lines, it.errors = row.lines, row.errors
  if lines <= 0 and errors <= 0 then
    return
  end
  local second = now()
  local bucket = it.seconds[second] or { lines = 0, errors = 0 }
  bucket.lines, bucket.errors = bucket.lines + lines, bucket.errors + math.max(errors, 0)
  it.seconds[second], it.at = bucket, second
  for old in pairs(it.seconds) do
    if old <= second - SPAN then
      it.seconds[old] = nil
    end
  end
end

--- The bars of some processes together, with groups as in a statusline; nil when they have printed nothing for a while.
---@param rows brummer.Row[]
---@return string?
---@return integer cells
function M.bars(rows)
  local from, most, total = now() - SPAN + 1, 0, 0
  local lines, errors = {}, {}
  for i = 1, SPAN do
    lines[i], errors[i] = 0, 0
  end
  for _, row in ipairs(rows) do
    for second, bucket in pairs(rates[row.id] and rates[row.id].seconds or {}) do
      local i = second - from + 1
      if i >= 1 and i <= SPAN then
        lines[i], errors[i] = lines[i] + bucket.lines, errors[i] + bucket.errors
        most, total = math.max(most, lines[i]), total + lines[i]
      end
    end
  end
  if total == 0 then
    return nil, 0
  end
  local bars = config.get().icons == 'ascii' and ASCII or BARS
  local parts, group = {}, nil
  for i = 1, SPAN do
    -- A second with a line in it is never as empty as one without.
    local level = lines[i] > 0 and math.max(math.ceil(lines[i] / most * #bars), 1) or 0
    local want = errors[i] > 0 and 'BrummerErrorCount' or 'BrummerRates'
    if want ~= group then
      group = want
      parts[#parts + 1] = ('%%#%s#'):format(want)
    end
    parts[#parts + 1] = level == 0 and ' ' or bars[level]
  end
  return table.concat(parts) .. '%*', SPAN
end

--- Begins to count, once.
function M.setup()
  if not counting then
    counting = true
    state.subscribe(function(ids)
      for _, id in ipairs(ids) do
        local row = state.get(id)
        if row then
          M.note(row)
        end
      end
    end)
  end
end

return M
