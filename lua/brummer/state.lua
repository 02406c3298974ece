--- What is known about processes: the rows the host sent, and the statusline.
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
---@field package? string the workspace package it belongs to
---@field waiting? string what a pending run waits for
---@field ready? 'waiting'|'ready'|'failed' nil: nothing says how it would be known
---@field not_ready? string why it is not ready
---@field left? brummer.Survivor[] processes that outlived the leader of their tree
---@field terminal? boolean
---@field full_screen? boolean
---@field elsewhere? integer the process id of the host of another Neovim that runs it: here it is only shown
---@field detach? boolean it lives on when the host ends
---@field prompt? string its last line, while it has no end
---@field progress? boolean that line changes by itself: nobody is asked anything
---@field cpu? integer share of one core in tenths of a percent
---@field memory? integer bytes of the tree
---@field ports? integer[]
---@field urls? string[] web addresses this run printed

---@class (exact) brummer.Survivor
---@field pid integer
---@field name string
---@field exempt? boolean the settings let it live on

---@type table<integer, brummer.Row>
local rows = {}
---@type integer[] ids in the order in which they came
local order = {}
---@type table<string, integer>
local by_name = {}
---@type table<integer, integer> process -> run that was told to end
local stopping = {}
---@type fun(ids: integer[])[]
local listeners = {}
---@type { running: integer, failed: integer }
local counts = { running = 0, failed = 0 }
local line = ''

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

--- The row a user means by a name: the exact one, else the only one that ends in it, as `web` of
--- `procfile web` and `dev` of `web/dev`.
---@param root string
---@param name string
---@return brummer.Row?
function M.match(root, name)
  local row, several = M.find(root, name), false
  for _, other in ipairs(row and {} or M.rows(root)) do
    if vim.endswith(other.name, '/' .. name) or vim.endswith(other.name, ' ' .. name) then
      several = row ~= nil
      row = row or other
    end
  end
  return not several and row or nil
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

--- Whether this Neovim runs it now.
---@param row brummer.Row?
---@return boolean
function M.alive(row)
  return row ~= nil and (row.state == 'running' or row.state == 'pending') and not row.elsewhere
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

--- Whether the last line, which has no end, is written over and over.
---@param old brummer.Row?
---@param new brummer.Row
---@return boolean?
local function moves(old, new)
  if old and old.prompt and new.prompt and old.lines == new.lines then
    return old.progress or old.prompt ~= new.prompt
  end
end

--- Rows that changed, whole.
---@param list brummer.Row[]
function M.apply_rows(list)
  local ids, fresh = {}, {}
  for _, row in ipairs(list) do
    if not rows[row.id] then
      fresh[#fresh + 1] = row.id
    end
    require('brummer.news').row(rows[row.id], row)
    row.progress = moves(rows[row.id], row)
    rows[row.id] = row
    local named = rows[by_name[key(row.root, row.name)]]
    -- One's own counts before that of another Neovim.
    if not named or named.elsewhere or not row.elsewhere then
      by_name[key(row.root, row.name)] = row.id
    end
    if stopping[row.id] and (row.state ~= 'running' or row.run ~= stopping[row.id]) then
      stopping[row.id] = nil
    end
    ids[#ids + 1] = row.id
  end
  -- A frame has its rows in any order; what was started first stands first.
  table.sort(fresh)
  vim.list_extend(order, fresh)
  changed(ids)
end

--- A process was told to end, which may take its grace time; with `false` it was not after all.
---@param id integer
---@param on? boolean
function M.stops(id, on)
  local row = rows[id]
  if row and row.state == 'running' and not row.elsewhere then
    stopping[id] = on ~= false and row.run or nil
    changed({ id })
  end
end

--- Whether a row that runs was told to end.
---@param row brummer.Row
---@return boolean
function M.stopping(row)
  return row.state == 'running' and stopping[row.id] == row.run
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

--- The host has gone and with it what it ran, unless it had no time to end it.
---@param killed? boolean
function M.host_down(killed)
  local ids = vim.deepcopy(order)
  for _, row in pairs(rows) do
    if M.alive(row) then
      row.state, row.reason = 'stopped', killed and 'may still run' or nil
      row.pid = killed and row.pid or nil
    end
    row.waiting, row.ready, row.not_ready, row.left = nil, nil, nil, nil
    row.cpu, row.memory, row.ports = nil, nil, nil
  end
  stopping = {}
  -- The next host numbers anew; what was known stays on show until then.
  changed(ids)
end

--- Something beside the rows changed that views of them show.
function M.touch()
  changed({})
end

--- Forgets everything: a new host numbers its processes from the start.
function M.reset()
  rows, order, by_name, stopping = {}, {}, {}, {}
  changed({})
end

return M
