--- A host for specs: speaks doc/protocol.md over stdio, writes down every call, answers from a table
--- that a spec may replace. Run as `nvim --clean -l fake_host.lua host --stdio --log FILE`.
---
--- FAKE_HOST_MODE    'crash' | 'silent' | 'protocol' | '' how the start goes
--- FAKE_HOST_SPY     file that gets one JSON line for each call
--- FAKE_HOST_ANSWERS Lua file that returns { method = function(params, host) return ok, err end }

local mode = os.getenv('FAKE_HOST_MODE') or ''
if mode == 'crash' then
  io.stderr:write('starting\ncannot read the clock\n')
  os.exit(3)
end

local input, output = assert(vim.uv.new_pipe()), assert(vim.uv.new_pipe())
input:open(0)
output:open(1)

local host = { rows = {}, next_id = 1, rev = 0, request = 0, frames = {}, in_flight = false }

local function spy(entry)
  if os.getenv('FAKE_HOST_SPY') then
    local file = assert(io.open(os.getenv('FAKE_HOST_SPY'), 'a'))
    file:write(vim.json.encode(entry), '\n')
    file:close()
  end
end

local function request(method, params)
  host.request = host.request + 1
  output:write(vim.mpack.encode({ 0, host.request, method, params }))
end

local function pump()
  if host.in_flight or #host.frames == 0 then
    return
  end
  host.in_flight = true
  local frame = table.remove(host.frames, 1)
  host.rev = host.rev + 1
  frame.rev = host.rev
  request('nvim_exec_lua', {
    "return require('brummer.rpc').frame(...)",
    { vim.mpack.encode(frame) },
  })
end

--- Queues a frame; at most one is unanswered.
function host.send(frame)
  host.frames[#host.frames + 1] = frame
  pump()
end

--- The row of a script, made when there is none.
function host.row(root, name)
  for _, row in ipairs(host.rows) do
    if row.root == root and row.name == name then
      return row
    end
  end
  local row = {
    id = host.next_id,
    name = name,
    root = root,
    cwd = root,
    state = 'pending',
    run = 0,
    command = 'npm run ' .. name,
    script = name .. '.js',
    lines = 0,
    errors = 0,
  }
  host.next_id = host.next_id + 1
  host.rows[#host.rows + 1] = row
  return row
end

function host.by_id(id)
  for _, row in ipairs(host.rows) do
    if row.id == id then
      return row
    end
  end
end

local answers = {}

function answers.run(params)
  local started, rows = {}, {}
  if (params.names or {})[1] == 'stack' then
    -- A set.
    params.names = { 'api', 'worker' }
  end
  for _, name in ipairs(params.names or { params.command }) do
    if name == 'nosuch' then
      return nil, "no script 'nosuch' in " .. params.root
    end
    local row = host.row(params.root, name)
    local before = row.state
    if before ~= 'running' then
      row.state, row.run, row.pid = 'running', row.run + 1, 1000 + row.id
    end
    rows[#rows + 1] = row
    started[#started + 1] =
      { id = row.id, name = name, state = before == 'running' and 'running' or 'started' }
  end
  host.send({ procs = rows })
  return { started = started }
end

function answers.stop(params)
  local row = host.by_id(params.id)
  row.state, row.signal, row.pid = 'stopped', 'SIGTERM', nil
  host.send({ procs = { row } })
  return {}
end

function answers.restart(params)
  local row = host.by_id(params.id)
  row.state, row.run = 'running', row.run + 1
  host.send({ procs = { row } })
  return {}
end

function answers.stop_all(params)
  for _, row in ipairs(host.rows) do
    if row.state == 'running' and (not params.root or row.root == params.root) then
      row.state, row.pid = 'stopped', nil
    end
  end
  host.send({ procs = host.rows })
  return {}
end

function answers.leftovers()
  return { leftovers = {} }
end
function answers.end_leftovers()
  return {}
end

function answers.describe()
  return {}
end

function answers.watch()
  return {}
end
answers.unwatch = answers.watch
for _, method in ipairs({ 'send', 'input', 'resize', 'attach', 'detach' }) do
  answers[method] = answers.watch
end

--- The nearest directory with a package.json or .brum.toml, else the directory itself.
local function root_of(dir)
  local found = vim.fs.find({ 'package.json', '.brum.toml' }, { path = dir, upward = true })[1]
  return found and vim.fs.dirname(found) or dir
end

function answers.scripts(params)
  return {
    root = root_of(params.dir),
    project = 'shop',
    manager = 'npm',
    scripts = {
      { name = 'dev', command = 'vite', cwd = params.dir, file = 'package.json', line = 1 },
    },
    problems = {},
  }
end

function answers.errors()
  return { errors = {} }
end

function answers.locate()
  return nil, 'this line names no place'
end

for _, method in ipairs({ 'search', 'unsearch' }) do
  answers[method] = answers.watch
end

function answers.write()
  return { lines = 3 }
end

function answers.load(params)
  return { lines = params.count, more = true }
end

function answers.line(params)
  return { text = 'all of line ' .. params.seq, at = 1700000000123, stream = 'err', run = 3, rule = 'tsc' }
end

function answers.urls_of()
  return { urls = {} }
end

function answers.previous(params)
  local patch = {
    buf = params.buf,
    reset = true,
    total = 3,
    lines = { 'a', 'b', 'c' },
    seqs = { 1, 3 },
    times = { 1700000000000, 3 },
  }
  return { at = 1700000000000, ended = 1700000060000, lines = 3, patch = patch }
end

answers.place = answers.locate

function answers.explain()
  return { lines = { 'rule: none' } }
end

function answers.config(params)
  return {
    root = params.dir,
    files = { params.dir .. '/.brum.toml' },
    problems = {},
    values = {
      { key = 'mcp_port', value = '7777' },
      { key = 'proxy_url' },
      { key = 'log_store.max_entries', value = '500', source = '.brum.toml:2' },
    },
  }
end

function answers.reload(params)
  return { root = params.dir, files = {}, applied = {}, restart = {}, problems = {} }
end

--- All is well.
local function report()
  local function component(name)
    return {
      name = name,
      state = 'healthy',
      mode = 'current',
      since = 1700000000000,
      errors = 0,
      faults = 0,
      off = {},
    }
  end
  return {
    uptime = 720000,
    pid = 4711,
    version = '0.1.0',
    components = vim.tbl_map(component, { 'bus', 'process', 'logs', 'model' }),
    queues = { { name = 'events high', used = 0, capacity = 100, dropped = 0, blocked = 0 } },
    budgets = {
      { name = 'short work', used = 1, limit = 64, waiting = 0, refused = 0 },
      { name = 'processes', used = 1, limit = 200 },
      { name = 'tasks', used = 23, leaked = 0 },
    },
    memory = { resident = 45 * 1048576, limit = 512 * 1048576, pressure = 'normal', rings = 3145728, off = {} },
    faults = {},
    thresholds = { { name = 'event handling', limit = '100 ms', breaches = 0, recent = 0, worst = '12 ms' } },
    rates = { events = 30, lines = 1200, workers_busy = 0.02, event_p50_us = 40, event_p99_us = 900 },
  }
end

answers.health = report

function answers.watch_health()
  host.send({ health = report() })
  return {}
end
answers.unwatch_health = answers.watch

--- For specs: ends as if it had been killed.
function answers.die(params)
  io.stderr:write((params.words or 'out of luck') .. '\n')
  os.exit(params.code or 9)
end

local handlers = {}

function handlers.hello(_)
  if mode == 'silent' then
    return
  end
  request('nvim_exec_lua', {
    "return require('brummer.host').on_hello(...)",
    {
      vim.json.encode({
        protocol = mode == 'protocol' and 2 or 1,
        version = '0.1.0',
        pid = vim.uv.os_getpid(),
      }),
    },
  })
end

function handlers.call(args)
  local id, method, params = args[1], args[2], args[3]
  spy({ method = method, params = params })
  if method == 'bye' then
    os.exit(0)
  end
  local custom = os.getenv('FAKE_HOST_ANSWERS') and vim.uv.fs_stat(os.getenv('FAKE_HOST_ANSWERS'))
  local table_of = custom and dofile(os.getenv('FAKE_HOST_ANSWERS')) or {}
  local fn = table_of[method] or answers[method]
  local ok, err
  if fn then
    ok, err = fn(params, host)
  else
    err = ('no method %s'):format(method)
  end
  if ok == 'never' then
    return
  end
  host.send({ replies = { err and { id = id, err = err } or { id = id, ok = ok } } })
end

local unpack_message = vim.mpack.Unpacker()
local rest = ''
input:read_start(function(problem, data)
  if problem or not data then
    os.exit(0)
  end
  rest = rest .. data
  local pos = 1
  while pos <= #rest do
    local message, next_pos = unpack_message(rest, pos)
    if message == nil then
      -- The decoder keeps what it has read of an unfinished message.
      pos = #rest + 1
      break
    end
    pos = next_pos
    if message[1] == 2 and handlers[message[2]] then
      handlers[message[2]](message[3])
    elseif message[1] == 1 then
      if message[3] ~= vim.NIL and message[3] then
        spy({ method = 'FAULT', params = message[3] })
      elseif type(message[4]) == 'table' then
        spy({ method = 'RESET', params = message[4] })
      end
      host.in_flight = false
      pump()
    end
  end
  rest = rest:sub(pos)
end)
vim.uv.run()
