--- Which printed line stands in which row of a log buffer: runs of consecutive line numbers, so that
--- ten thousand rows cost a handful of entries. Pure data.

---@class (exact) brummer.LineRun
---@field at integer rank of the first line, counted since the view was emptied
---@field id integer process in the merged log, else 0
---@field seq integer number of the first line
---@field count integer

---@class brummer.Lines
---@field base integer rank of row 0
---@field count integer rows held
---@field runs brummer.LineRun[]
---@field times { at: integer, t: integer }[]
---@field last table<integer, integer> newest line held, by process
---@field floor table<integer, integer> lines up to here are hidden by `clear`
local Lines = {}
Lines.__index = Lines

---@return brummer.Lines
function Lines.new()
  return setmetatable({ base = 0, count = 0, runs = {}, times = {}, last = {}, floor = {} }, Lines)
end

--- Index of the last entry whose `at` is not above `rank`.
---@param list { at: integer }[]
---@param rank integer
---@return integer 0 when there is none
function Lines.search(list, rank)
  local low, high = 0, #list
  while low < high do
    local mid = math.ceil((low + high) / 2)
    if list[mid].at <= rank then
      low = mid
    else
      high = mid - 1
    end
  end
  return low
end

--- Walks flat runs `{first, count, …}` beside `{id, count, …}`.
---@param seqs integer[]
---@param ids? integer[]
---@param fn fun(id: integer, seq: integer, count: integer, offset: integer)
local function walk(seqs, ids, fn)
  local offset, pos = 0, 1
  local left = ids and ids[2] or math.huge
  for i = 1, #seqs, 2 do
    local seq, count = seqs[i], seqs[i + 1]
    while count > 0 do
      if left == 0 then
        pos = pos + 2
        left = ids and ids[pos + 1] or math.huge
      end
      local part = math.min(count, left)
      fn(ids and ids[pos] or 0, seq, part, offset)
      seq, count, left, offset = seq + part, count - part, left - part, offset + part
    end
  end
end
Lines.walk = walk

--- How many of the first lines are held already (or hidden by `clear`), the number of the first one
--- that is not, and how many are missing before that one.
---@param seqs integer[]
---@param ids? integer[]
---@return integer held
---@return integer missing
function Lines:overlap(seqs, ids)
  local held, missing, done = 0, 0, false
  walk(seqs, ids, function(id, seq, count)
    if done then
      return
    end
    local last = math.max(self.last[id] or 0, self.floor[id] or 0)
    local part = math.min(math.max(last - seq + 1, 0), count)
    held = held + part
    if part < count then
      done = true
      if not ids and last > 0 then
        missing = math.max(seq + part - last - 1, 0)
      end
    end
  end)
  return held, missing
end

--- Appends lines `from + 1 … to` of a patch.
---@param seqs integer[]
---@param ids? integer[]
---@param times integer[]
---@param from integer
---@param to integer
function Lines:push(seqs, ids, times, from, to)
  local start = self.base + self.count - from
  walk(seqs, ids, function(id, seq, count, offset)
    local first, stop = math.max(offset, from), math.min(offset + count, to)
    if first >= stop then
      return
    end
    seq = seq + first - offset
    local run = self.runs[#self.runs]
    if run and run.id == id and run.seq + run.count == seq then
      run.count = run.count + stop - first
    else
      self.runs[#self.runs + 1] = { at = start + first, id = id, seq = seq, count = stop - first }
    end
    self.last[id] = math.max(self.last[id] or 0, seq + stop - first - 1)
  end)
  local offset = 0
  for i = 1, #times, 2 do
    local t, count = times[i], times[i + 1]
    local first, stop = math.max(offset, from), math.min(offset + count, to)
    local known = self.times[#self.times]
    if first < stop and not (known and known.t == t) then
      self.times[#self.times + 1] = { at = start + first, t = t }
    end
    offset = offset + count
  end
  self.count = self.count + to - from
end

--- Adds a run to a list, or its lines to the last one when they go on from there.
---@param list brummer.LineRun[]
---@param run brummer.LineRun
local function add(list, run)
  local last = list[#list]
  if last and last.id == run.id and last.seq + last.count == run.seq then
    last.count = last.count + run.count
  else
    list[#list + 1] = run
  end
end

--- Puts lines `from + 1 … to` of a patch in front of a row that is held.
---@param row integer
---@param seqs integer[]
---@param ids? integer[]
---@param times integer[]
---@param from integer
---@param to integer
function Lines:insert(row, seqs, ids, times, from, to)
  local rank, n, time = self.base + row, to - from, self:time(row)
  local middle = Lines.new()
  middle.base = rank
  middle:push(seqs, ids, times, from, to)
  local runs, rest = {}, {} ---@type brummer.LineRun[], brummer.LineRun[]
  for _, run in ipairs(self.runs) do
    local head = math.max(math.min(rank - run.at, run.count), 0)
    if head > 0 then
      runs[#runs + 1] = { at = run.at, id = run.id, seq = run.seq, count = head }
    end
    if head < run.count then
      local at, seq = run.at + head + n, run.seq + head
      rest[#rest + 1] = { at = at, id = run.id, seq = seq, count = run.count - head }
    end
  end
  for _, list in ipairs({ middle.runs, rest }) do
    for _, run in ipairs(list) do
      add(runs, run)
    end
  end
  local ticks = {} ---@type { at: integer, t: integer }[]
  for _, entry in ipairs(self.times) do
    if entry.at < rank then
      ticks[#ticks + 1] = entry
    end
  end
  vim.list_extend(ticks, middle.times)
  -- What stands behind them now may have begun before them.
  ticks[#ticks + 1] = time and { at = rank + n, t = time } or nil
  for _, entry in ipairs(self.times) do
    if entry.at > rank then
      ticks[#ticks + 1] = { at = entry.at + n, t = entry.t }
    end
  end
  self.runs, self.times, self.count = runs, ticks, self.count + n
end

---@generic T: { at: integer }
---@param list T[]
---@param base integer
---@return T[]
local function drop(list, base)
  local first = math.max(Lines.search(list, base), 1)
  if first == 1 then
    return list
  end
  return vim.list_slice(list, first)
end

--- Forgets the first `n` rows.
---@param n integer
function Lines:trim(n)
  self.base, self.count = self.base + n, self.count - n
  -- Cutting the lists costs their length: done only when half of them is behind the base.
  if Lines.search(self.runs, self.base) > #self.runs / 2 then
    self.runs = drop(self.runs, self.base)
  end
  if Lines.search(self.times, self.base) > #self.times / 2 then
    self.times = drop(self.times, self.base)
  end
end

--- Forgets all rows; `last` and `floor` stay.
function Lines:empty()
  self.base, self.count, self.runs, self.times = self.base + self.count, 0, {}, {}
end

--- The line in a 0-based row.
---@param row integer
---@return integer? seq
---@return integer? id
function Lines:at(row)
  if row < 0 or row >= self.count then
    return
  end
  local run = self.runs[Lines.search(self.runs, self.base + row)]
  if run then
    return run.seq + self.base + row - run.at, run.id
  end
end

--- The 0-based row of a line, nil when it is not held. Without `id` the newest line of that number.
---@param seq integer
---@param id? integer
---@return integer?
function Lines:row(seq, id)
  for i = #self.runs, 1, -1 do
    local run = self.runs[i]
    if (not id or run.id == id) and seq >= run.seq and seq < run.seq + run.count then
      local row = run.at + seq - run.seq - self.base
      return row >= 0 and row or nil
    end
  end
end

--- The last 0-based row of the lines that follow each other without a gap from a row on, of one process.
---@param row integer
---@return integer
function Lines:stretch(row)
  local run = self.runs[Lines.search(self.runs, self.base + row)]
  return run and math.min(run.at + run.count - self.base, self.count) - 1 or row
end

--- When the line in a 0-based row was read, in milliseconds.
---@param row integer
---@return integer?
function Lines:time(row)
  local entry = self.times[Lines.search(self.times, self.base + row)]
  return entry and entry.t
end

return Lines
