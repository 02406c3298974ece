--- What happens: User events, and notices of what the user should hear of.
local state = require('brummer.state')

local M = {}

--- How bad a word of the host's health is.
M.SEVERITY = { healthy = 0, degraded = 1, failing = 2, failed = 3 }

---@type table<integer, integer> process -> run whose first error was told
local told = {}
---@type table<integer, integer> process -> run whose address was told
local addressed = {}
---@type table<string, { to: string, reason: string }> components of the host that are not healthy
local unwell = {}

local PATTERN = {
  started = 'BrummerProcessStarted',
  ready = 'BrummerProcessReady',
  exited = 'BrummerProcessExited',
  error = 'BrummerErrorDetected',
  url = 'BrummerUrlDetected',
  health = 'BrummerHealthChanged',
}

--- Scheduled: what a listener does, or that it raises, is no business of the frame.
---@param pattern string
---@param data table
local function emit(pattern, data)
  vim.schedule(function()
    vim.api.nvim_exec_autocmds('User', { pattern = pattern, data = data, modeline = false })
  end)
end

---@param kind string
---@param name string
---@param text string|fun(): string
---@param level integer
local function notice(kind, name, text, level)
  require('brummer.notify').notice({ kind = kind, name = name, text = text, level = level })
end

--- A server has come up: where, once for each run.
---@param row brummer.Row
local function served(row)
  local url = addressed[row.id] ~= row.run and require('brummer.served').ready(row)
  if url then
    addressed[row.id] = row.run
    notice('ready', row.name, ('%s is ready: %s'):format(row.name, url), vim.log.levels.INFO)
  end
end

--- A row has come in the place of another.
---@param old brummer.Row?
---@param new brummer.Row
function M.row(old, new)
  served(new)
  local before = old and old.run == new.run and old.ready or nil
  if not old or new.ready == before or new.ready == 'waiting' then
    return
  elseif new.ready == 'failed' then
    local text = ('%s is %s'):format(new.name, new.not_ready or 'not ready')
    notice('not_ready', new.name, text, vim.log.levels.WARN)
  elseif new.ready == 'ready' then
    local data = { id = new.id, name = new.name, root = new.root, run = new.run }
    emit(PATTERN.ready, data)
  end
end

--- A component of the host got better or worse; worse is told.
---@param event { component: string, from: string, to: string, reason: string, at: integer }
local function health(event)
  local now, before = M.SEVERITY[event.to] or 0, M.SEVERITY[event.from] or 0
  unwell[event.component] = now > 0 and { to = event.to, reason = event.reason } or nil
  if now > before then
    local said = ('%s %s'):format(event.component, event.to)
    said = event.reason ~= '' and ('%s: %s'):format(said, event.reason) or said
    notice(
      'health',
      event.component,
      -- Where to look stays when the reason is long.
      require('brummer.notify').with_tail(said, ' (:Brummer health)'),
      now > 1 and vim.log.levels.ERROR or vim.log.levels.WARN
    )
  end
  state.touch()
  emit(PATTERN.health, event)
end

--- What is wrong with the host, worst first: `logs degraded (3 faults in a minute)`; nil when nothing is.
---@return string?
function M.trouble()
  local names = vim.tbl_keys(unwell)
  table.sort(names, function(a, b)
    local left, right = M.SEVERITY[unwell[a].to], M.SEVERITY[unwell[b].to]
    return left > right or left == right and a < b
  end)
  local parts = vim.tbl_map(function(name)
    local it = unwell[name]
    return ('%s %s'):format(name, it.to) .. (it.reason ~= '' and (' (%s)'):format(it.reason) or '')
  end, names)
  return #parts > 0 and table.concat(parts, ' · ') or nil
end

---@param event table
---@param name string
local function notices(event, name)
  if event.kind == 'exited' and event.state == 'failed' then
    notice('failed', name, function()
      local text = ('%s failed (%s)'):format(name, state.ending(event))
      -- That it is started again by itself is known a moment later.
      local row = state.get(event.id)
      local again = row and row.state == 'pending' and row.waiting or ''
      if vim.startswith(again, 'restarts in') then
        text = ('%s, %s'):format(text, again)
      end
      return event.message and text .. ': ' .. event.message or text
    end, vim.log.levels.ERROR)
  elseif event.kind == 'error' and told[event.id] ~= event.run then
    told[event.id] = event.run
    local text = ('%s: %s'):format(name, event.message or 'error')
    notice('error', name, text, vim.log.levels.WARN)
  end
end

--- Events in order; the rows of the same frame have been applied already.
---@param list table[]
function M.apply(list)
  for _, event in ipairs(list) do
    if event.kind == 'health' then
      health(event)
    elseif event.kind == 'leftovers' then
      require('brummer.leftovers').tell(event.leftovers or {})
    elseif event.id then
      local known = state.get(event.id) or {}
      local data = vim.tbl_extend('keep', event, { name = known.name, root = known.root })
      notices(event, known.name or ('process %d'):format(event.id))
      if PATTERN[event.kind] then
        emit(PATTERN[event.kind], data)
      end
    end
  end
end

--- The host has gone.
---@param reason string
function M.host_down(reason)
  unwell = {}
  emit('BrummerHostDown', { reason = reason })
end

--- Forgets everything: a new host numbers its processes from the start.
function M.reset()
  told, addressed, unwell = {}, {}, {}
end

return M
