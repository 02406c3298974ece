--- A health report as rows: words, columns, and colour only where something is not as it should be. Pure.
local columns = require('brummer.ui.columns')
local config = require('brummer.config')
local purpose = require('brummer.ui.purpose')
local text = require('brummer.text')
local trouble = require('brummer.ui.trouble')

local M = {}

local heading, join, row, some = columns.heading, columns.join, columns.row, columns.some
local worst_first = columns.worst_first
local severity = trouble.severity

local WARNING, ERROR = 'BrummerHealthWarning', 'BrummerHealthError'
-- Widths of the columns of numbers, which end below each other.
local USED, ROOM = -8, -7
local LOOK = {
  [0] = { icon = 'success' },
  { icon = 'warning', group = WARNING },
  { icon = 'failed', group = ERROR },
  { icon = 'failed', group = ERROR },
}
local PRESSURE = { warning = WARNING, critical = ERROR }

---@param out brummer.ReportRow[]
---@param off? string[]
---@param width integer
local function switched_off(out, off, width)
  for _, what in ipairs(off or {}) do
    vim.list_extend(out, columns.said('for now: ', what, width, WARNING))
  end
end

---@param out brummer.ReportRow[]
---@param list table[]
---@param width integer
local function components(out, list, width)
  out[#out + 1] = heading('Parts')
  for _, it in ipairs(worst_first(list, severity)) do
    local look, bad = LOOK[severity(it)], severity(it) > 0
    local words = join({
      purpose.part[it.name],
      not bad and (it.errors or 0) > 0 and text.plural(it.errors, 'error') .. ' in the last minute',
    })
    out[#out + 1] = row({
      { config.icon(look.icon), 1, look.group },
      { it.name, 10 },
      { it.state, 10, look.group },
      { words, 0, not bad and 'BrummerCommand' or nil },
    })
    local at = it.since and os.date('%H:%M:%S', math.floor(it.since / 1000)) or '?'
    if bad then
      vim.list_extend(out, columns.said(('since %s: '):format(at), it.reason or '', width))
    elseif it.reason then
      vim.list_extend(out, columns.said('', 'well again since ' .. at, width))
    end
    if it.mode == 'fallback' and not bad then
      -- As the settings want it: nothing is wrong.
      local less = table.concat(it.off or {}, '; ')
      vim.list_extend(out, columns.said('fallback mode: ', less, width))
    else
      local fallback = it.mode == 'fallback' and { 'fallback mode' } or {}
      switched_off(out, vim.list_extend(fallback, it.off or {}), width)
    end
  end
end

--- What happened to a task, as a user would say it.
local KIND = { panic = 'crashed', stuck = 'does not answer', failure = 'failed' }

---@param out brummer.ReportRow[]
---@param list table[]
---@param width integer
local function faults(out, list, width)
  if #list == 0 then
    return
  end
  out[#out + 1] = heading(('Faults (%d)'):format(#list), 'newest first; the rest of the host went on')
  for _, it in ipairs(list) do
    out[#out + 1] = row({
      { text.ago(it.at), 10 },
      { ('%s, %s'):format(it.component, it.place), 24 },
      { join({ KIND[it.kind] or it.kind, (it.count or 1) > 1 and ('%s times'):format(text.count(it.count)) }), 0 },
    })
    vim.list_extend(out, columns.said('', it.message or '', width))
  end
end

---@param out brummer.ReportRow[]
---@param list { name: string, pid: integer, of: string }[]
local function staying(out, list)
  if #list == 0 then
    return
  end
  out[#out + 1] = heading('Left running', 'what `leave` in .brum.toml lets stay')
  for _, it in ipairs(list) do
    out[#out + 1] = row({ { ('%s (%d)'):format(it.name, it.pid), 24 }, { 'of ' .. it.of, 0, 'BrummerCommand' } })
  end
end

---@param out brummer.ReportRow[]
---@param it table
---@param width integer
local function memory(out, it, width)
  local short = trouble.PRESSURE[it.pressure] or 'enough'
  out[#out + 1] = heading('Memory', 'what the host takes, of what it may take')
  -- Nobody has measured yet.
  local known = (it.resident or 0) > 0
  out[#out + 1] = row({
    { 'in use', 18 },
    { known and text.bytes(it.resident) or '–', USED },
    { (it.limit or 0) > 0 and 'of' or '', 2 },
    { (it.limit or 0) > 0 and text.bytes(it.limit) or '', ROOM },
    { known and ' ' .. short or '', 0, PRESSURE[it.pressure] },
  })
  out[#out + 1] = row({ { 'of that, logs', 18 }, { text.bytes(it.rings or 0), USED } })
  switched_off(out, it.off, width)
end

--- A row of something that has room: how much of it is taken.
---@param it table
---@param room? integer
---@param note string
---@param bad boolean
---@param use? string what it is for, told where there is nothing else to tell and it fits
---@param width integer
---@return brummer.ReportRow
local function room_row(it, room, note, bad, use, width)
  local full = room and room > 0 and it.used >= room
  local slows = full and purpose.slows[it.name]
  local group = bad and ERROR or full and not slows and WARNING or nil
  local words = join({ full and (slows or 'full'), note })
  local plain = words == '' and use
  local made = row({
    { it.name, 18 },
    { text.count(it.used or 0), USED, group },
    { (room or 0) > 0 and 'of' or '', 2, group },
    { (room or 0) > 0 and text.count(room) or '', ROOM, group },
    { ' ' .. (plain or words), 0, plain and 'BrummerCommand' or group },
  })
  if plain and vim.fn.strdisplaywidth(made[1]) > width then
    return room_row(it, room, note, bad, nil, width)
  end
  return made
end

---@param out brummer.ReportRow[]
---@param list table[]
---@param width integer
local function budgets(out, list, width)
  out[#out + 1] = heading('Budgets', 'what goes on, of what may go on at once')
  for _, it in ipairs(list) do
    local leaked = (it.leaked or 0) > 0
    local note = join({
      some(it.waiting, 'waiting'),
      some(it.refused, 'refused so far'),
      some(it.leaked, 'without an owner'),
    })
    out[#out + 1] = room_row(it, it.limit, note, leaked, purpose.budget[it.name], width)
  end
end

---@param out brummer.ReportRow[]
---@param list table[]
---@param width integer
local function queues(out, list, width)
  out[#out + 1] = heading('Queues', 'what waits to be handed on, of what may wait')
  for _, it in ipairs(list) do
    local note = join({ some(it.dropped, 'dropped so far'), some(it.blocked, 'had to wait') })
    out[#out + 1] = room_row(it, it.capacity, note, false, purpose.queue[it.name], width)
  end
end

---@param out brummer.ReportRow[]
---@param list table[]
local function thresholds(out, list)
  if #list == 0 then
    return
  end
  out[#out + 1] = heading('Limits', 'the most there was, of what is allowed')
  local function recent(it)
    return (it.recent or 0) > 0 and 1 or 0
  end
  for _, it in ipairs(worst_first(list, recent)) do
    local note = join({
      recent(it) > 0 and ('%s over it in the last minute'):format(text.count(it.recent)),
      (it.breaches or 0) > 0 and ('%s in all'):format(text.count(it.breaches)) or 'never over it',
    })
    local group = recent(it) > 0 and WARNING or nil
    out[#out + 1] = row({
      { purpose.limit[it.name] or it.name, 18 },
      { it.worst or it.limit == '0' and '0' or '–', USED },
      { 'of', 2 },
      { it.limit, ROOM },
      { ' ' .. note, 0, group },
    })
  end
end

--- `40 µs`, `8.6 ms`, `518 ms`, `1.2 s`.
---@param us integer
---@return string
local function short_time(us)
  if us < 1000 then
    return ('%d µs'):format(us)
  elseif us < 1000000 then
    return (us < 10000 and '%.1f ms' or '%.0f ms'):format(us / 1000)
  end
  return ('%.1f s'):format(us / 1000000)
end

--- `1,200 lines/s · 30 events/s · workers 2 % busy · events in 40 µs, rarely 900 µs`: as much of it as fits.
---@param rates? table
---@param width integer
---@return string
local function pace(rates, width)
  rates = rates or {}
  local parts = {
    rates.lines and ('%s lines/s'):format(text.count(math.floor(rates.lines + 0.5))) or '',
    rates.events and ('%s events/s'):format(text.count(math.floor(rates.events + 0.5))) or '',
    rates.workers_busy and ('workers %.0f %% busy'):format(rates.workers_busy * 100) or '',
    rates.event_p50_us and ('events in %s'):format(short_time(rates.event_p50_us))
      .. (rates.event_p99_us and (', rarely %s'):format(short_time(rates.event_p99_us)) or '') or '',
  }
  while #parts > 1 and vim.fn.strdisplaywidth(join(parts)) > width - 3 do
    parts[#parts] = nil
  end
  return join(parts)
end

--- The first row: `left` from the left, the way to the keys at the right.
---@param left string
---@param group? string
---@param width integer
---@return brummer.ReportRow
local function head(left, group, width)
  local name = ' brummer health  '
  local line = text.fit(name .. left, math.max(width - 9, 20))
  local gap = math.max(width - vim.fn.strdisplaywidth(line) - 8, 1)
  local marks = { { 0, #name - 2, 'BrummerTitle' } }
  if group then
    marks[2] = { math.min(#name, #line), #line, group }
  end
  return { line .. (' '):rep(gap) .. 'g? help', marks }
end

--- All rows of a report.
---@param report table as in doc/protocol.md, and `staying`
---@param up integer milliseconds since the host started
---@param width integer
---@return brummer.ReportRow[]
function M.rows(report, up, width)
  local said, worst = trouble.summary(report)
  local out = { head(said, LOOK[worst].group, width) }
  for _, what in ipairs(trouble.advice(report)) do
    vim.list_extend(out, columns.said('→ ', what, width))
  end
  local about = join({
    'up ' .. text.duration(math.max(up, 1000)),
    report.pid and 'pid ' .. report.pid,
    report.version and 'version ' .. report.version,
  })
  out[#out + 1] = row({ { about, 0, 'BrummerCommand' } })
  local speed = pace(report.rates, width)
  if speed ~= '' then
    out[#out + 1] = row({ { speed, 0, 'BrummerCommand' } })
  end
  for _, section in ipairs({
    { components, report.components },
    { faults, report.faults },
    { memory, report.memory },
    { budgets, report.budgets },
    { require('brummer.ui.happened'), report.counters },
    { queues, report.queues },
    { thresholds, report.thresholds },
    { staying, report.staying },
  }) do
    if section[2] then
      section[1](out, section[2], width)
    end
  end
  return out
end

--- What is said while no host runs.
---@param starting boolean
---@param width integer
---@return brummer.ReportRow[]
function M.down(starting, width)
  local out = { head(starting and 'the host starts' or 'no host runs', nil, width), { '', {} } }
  for _, what in ipairs({
    'The host starts with the first command that needs it, as :BrummerRun does.',
    ':checkhealth brummer looks at what it needs: the program, its version, the options, the log files.',
  }) do
    vim.list_extend(out, columns.said('', what, width))
  end
  return out
end

return M
