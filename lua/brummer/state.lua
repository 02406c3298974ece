--- What is known about processes: the rows the host sent, the statusline, User events.
local M = {}

---@class brummer.Row
---@field id integer
---@field name string
---@field root string
---@field cwd string
---@field state 'pending'|'running'|'success'|'failed'|'stopped'
---@field run integer
---@field command string
---@field script string
---@field pid? integer
---@field exit_code? integer
---@field signal? string
---@field reason? string
---@field started_at? integer
---@field ended_at? integer
---@field lines integer
---@field errors integer

---@type table<integer, brummer.Row>
local rows = {}
---@type integer[] ids in the order in which they came
local order = {}
---@type table<string, integer>
local by_name = {}
---@type fun(ids: integer[])[]
local listeners = {}
---@type { running: integer, failed: integer }
local counts = { running = 0, failed = 0 }
local line = ''
---@type table<integer, integer> process -> run whose first error was told
local told = {}
---@type table<string, { to: string, reason: string }> components of the host that are not healthy
local unwell = {}

--- How bad a word of the host's health is.
M.SEVERITY = { healthy = 0, degraded = 1, failing = 2, failed = 3 }

---@param root string
---@param name string
---@return string
local function key(root, name)
  return root .. '\0' .. name
end

---@param id integer
---@return brummer.Row?
function M.get(id)
  return rows[id]
end

---@param root string
---@param name string
---@return brummer.Row?
function M.find(root, name)
  return rows[by_name[key(root, name)]]
end

--- All rows, or those of one root, in the order in which they came.
---@param root? string
---@return brummer.Row[]
function M.rows(root)
  local list = {}
  for _, id in ipairs(order) do
    if not root or rows[id].root == root then
      list[#list + 1] = rows[id]
    end
  end
  return list
end

---@param row brummer.Row?
---@return boolean
function M.alive(row)
  return row ~= nil and (row.state == 'running' or row.state == 'pending')
end

--- Rows that run now.
---@param root? string
---@return brummer.Row[]
function M.running(root)
  return vim.tbl_filter(M.alive, M.rows(root))
end

---@return { running: integer, failed: integer }
function M.counts()
  return counts
end

--- `● 3  ✗ 2`, or '' when nothing runs. A cached string.
---@return string
function M.statusline()
  return line
end

--- Calls `fn` with the ids that changed, after they have been applied.
---@param fn fun(ids: integer[])
function M.subscribe(fn)
  listeners[#listeners + 1] = fn
end

---@param ids integer[]
local function changed(ids)
  local running, failed = 0, 0
  for _, row in pairs(rows) do
    running = running + (M.alive(row) and 1 or 0)
    failed = failed + (row.state == 'failed' and 1 or 0)
  end
  counts = { running = running, failed = failed }
  local icon = require('brummer.config').icon
  local text = running > 0 and ('%s %d'):format(icon('running'), running) or ''
  if running > 0 and failed > 0 then
    text = ('%s  %s %d'):format(text, icon('failed'), failed)
  end
  if text ~= line then
    line = text
    vim.cmd.redrawstatus({ bang = true })
  end
  for _, fn in ipairs(listeners) do
    local ok, err = pcall(fn, ids)
    if not ok then
      require('brummer.rpc').fault('view', err)
    end
  end
end

--- Rows that changed, whole.
---@param list brummer.Row[]
function M.apply_rows(list)
  local ids = {}
  for _, row in ipairs(list) do
    if not rows[row.id] then
      order[#order + 1] = row.id
    end
    rows[row.id] = row
    by_name[key(row.root, row.name)] = row.id
    ids[#ids + 1] = row.id
  end
  changed(ids)
end

local PATTERN = {
  started = 'BrummerProcessStarted',
  exited = 'BrummerProcessExited',
  error = 'BrummerErrorDetected',
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

--- `exit 1`, `SIGKILL`, `stopped`, or the reason why it could not be started.
---@param it { exit_code?: integer, signal?: string, reason?: string, state?: string }
---@return string
function M.ending(it)
  if it.reason then
    return it.reason
  elseif it.state == 'stopped' then
    -- That is what the user asked for; by which signal is no news.
    return 'stopped'
  elseif it.signal then
    return it.signal
  elseif it.exit_code then
    return it.exit_code == 0 and 'ok' or ('exit %d'):format(it.exit_code)
  end
  return it.state or ''
end

--- A component of the host got better or worse; worse is told.
---@param event { component: string, from: string, to: string, reason: string, at: integer }
local function health(event)
  local now, before = M.SEVERITY[event.to] or 0, M.SEVERITY[event.from] or 0
  unwell[event.component] = now > 0 and { to = event.to, reason = event.reason } or nil
  if now > before then
    local notify, tail = require('brummer.notify'), ' (:Brummer health)'
    local said = ('%s %s'):format(event.component, event.to)
    said = event.reason ~= '' and ('%s: %s'):format(said, event.reason) or said
    notify.notice({
      kind = 'health',
      name = event.component,
      -- Where to look stays when the reason is long.
      text = require('brummer.text').fit(said, notify.room() - #'brummer: ' - #tail) .. tail,
      level = now > 1 and vim.log.levels.ERROR or vim.log.levels.WARN,
    })
  end
  changed({})
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
  local notice = require('brummer.notify').notice
  if event.kind == 'exited' and event.state == 'failed' then
    local text = ('%s failed (%s)'):format(name, M.ending(event))
    if event.message then
      text = text .. ': ' .. event.message
    end
    notice({ kind = 'failed', name = name, text = text, level = vim.log.levels.ERROR })
  elseif event.kind == 'error' and told[event.id] ~= event.run then
    told[event.id] = event.run
    local text = ('%s: %s'):format(name, event.message or 'error')
    notice({ kind = 'error', name = name, text = text, level = vim.log.levels.WARN })
  end
end

--- Events in order; the rows of the same frame have been applied already.
---@param list table[]
function M.apply_events(list)
  for _, event in ipairs(list) do
    if event.kind == 'health' then
      health(event)
    elseif event.id then
      local row = rows[event.id] or {}
      local data = vim.tbl_extend('keep', event, { name = row.name, root = row.root })
      notices(event, row.name or ('process %d'):format(event.id))
      if PATTERN[event.kind] then
        emit(PATTERN[event.kind], data)
      end
    end
  end
end

--- The host has gone and with it what it ran, unless it had no time to end it.
---@param reason string
---@param killed? boolean
function M.host_down(reason, killed)
  local ids = vim.deepcopy(order)
  for _, row in pairs(rows) do
    if M.alive(row) then
      row.state, row.reason = 'stopped', killed and 'may still run' or nil
      row.pid = killed and row.pid or nil
    end
  end
  unwell = {}
  -- The next host numbers anew; what was known stays on show until then.
  changed(ids)
  emit('BrummerHostDown', { reason = reason })
end

--- Forgets everything: a new host numbers its processes from the start.
function M.reset()
  rows, order, by_name, told, unwell = {}, {}, {}, {}, {}
  changed({})
end

return M
