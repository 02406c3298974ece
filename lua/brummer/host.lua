--- The host process: started at first use, greeted, watched, ended with the editor.
local binary = require('brummer.binary')
local rpc = require('brummer.rpc')

local M = {}

--- How long the host may take to answer `hello`.
M.HELLO_MS = 5000
--- At most so many starts in so many milliseconds.
M.MAX_STARTS, M.START_WINDOW_MS = 3, 60000

local STDERR_LINES = 50

---@class brummer.Host
---@field job integer
---@field path string
---@field ready boolean
---@field ended? boolean
---@field stderr string[]
---@field timer? uv.uv_timer_t
---@field info? { protocol: integer, version: string, pid: integer }

---@type brummer.Host?
local host
---@type { method: string, params: table, cb?: fun(err: string?, value: table?) }[]
local queued = {}
---@type integer[]
local starts = {}
local leaving = false

---@return 'down'|'starting'|'ready'
function M.state()
  return not host and 'down' or host.ready and 'ready' or 'starting'
end

---@return { protocol: integer, version: string, pid: integer }?
function M.info()
  return host and host.info
end

---@param what 'host_up'|'host_down'
local function views(what)
  for _, name in ipairs({ 'ui.logs', 'ui.search', 'ui.terminal', 'ui.health' }) do
    require('brummer.' .. name)[what]()
  end
end

---@param this brummer.Host
local function stop_timer(this)
  if this.timer then
    this.timer:stop()
    this.timer:close()
    this.timer = nil
  end
end

--- Ends the present host, tells everybody who waits, and says why.
---@param this brummer.Host
---@param reason string one line with what to do about it
---@param kill boolean
---@param killed? boolean it had no time to end what it ran
---@param tail? string what to do
---@param short? string said where there is no room for both
local function give_up(this, reason, kill, killed, tail, short)
  if this.ended then
    return
  end
  this.ended = true
  stop_timer(this)
  if kill then
    pcall(vim.fn.jobstop, this.job)
  end
  if host == this then
    host = nil
  end
  local list = queued
  queued = {}
  -- Calls only learn that it is over: the reason is said once, here.
  rpc.detach('')
  for _, call in ipairs(list) do
    if call.cb then
      pcall(call.cb, '', nil)
    end
  end
  if leaving then
    return
  end
  require('brummer.news').host_down(reason)
  require('brummer.state').host_down(killed)
  views('host_down')
  local option = require('brummer.config').get().notify
  if not (this.ready and (option == false or type(option) == 'table' and option.host == false)) then
    local notify = require('brummer.notify')
    notify.error(tail and notify.with_tail(reason, tail, short) or reason)
  end
end

---@param this brummer.Host
---@return string
local function last_words(this)
  for i = #this.stderr, 1, -1 do
    if this.stderr[i]:find('%S') then
      return ': ' .. vim.trim(this.stderr[i])
    end
  end
  return ''
end

---@param this brummer.Host
---@param code integer
local function on_exit(this, code)
  if this.ready then
    local how = code == 137 and 'killed' or 'exit ' .. code
    local said = ('the host ended (%s)%s'):format(how, last_words(this))
    local tail, short = '; the next command starts it again', 'host ended; the next command starts it'
    give_up(this, said, false, code ~= 0, tail, short)
  else
    give_up(
      this,
      -- What repairs it comes first: the last words may be long.
      ('run %s: %s crashed at start (exit %d)%s'):format(
        binary.REPAIR,
        this.path,
        code,
        last_words(this)
      ),
      false
    )
  end
end

---@param this brummer.Host
---@param data string[]
local function on_stderr(this, data)
  for i, piece in ipairs(data) do
    if i == 1 and #this.stderr > 0 then
      this.stderr[#this.stderr] = this.stderr[#this.stderr] .. piece
    else
      this.stderr[#this.stderr + 1] = piece
    end
  end
  while #this.stderr > STDERR_LINES do
    table.remove(this.stderr, 1)
  end
end

---@return string? problem
local function start()
  local now = vim.uv.now()
  starts = vim.tbl_filter(function(at)
    return now - at < M.START_WINDOW_MS
  end, starts)
  if #starts >= M.MAX_STARTS then
    local wait = math.ceil((M.START_WINDOW_MS - (now - starts[1])) / 1000)
    return ('the host was started %d times in a minute; see :checkhealth brummer, or wait %d s'):format(
      #starts,
      wait
    )
  end
  local path, problem = binary.find()
  if not path then
    return problem
  end
  starts[#starts + 1] = now

  ---@type brummer.Host
  local this = { job = 0, path = path, ready = false, stderr = {} }
  local log = require('brummer.log').path('host')
  pcall(vim.fn.mkdir, vim.fs.dirname(log), 'p')
  local ok, job = pcall(vim.fn.jobstart, { path, 'host', '--stdio', '--log', log }, {
    rpc = true,
    -- It ends by itself when the channel closes, after it has ended what it started. Neovim would wait
    -- for that, and then kill it in the middle of its work.
    detach = true,
    env = { BRUMMER_LOG = require('brummer.config').get().log_level },
    on_stderr = function(_, data)
      on_stderr(this, data)
    end,
    on_exit = function(_, code)
      on_exit(this, code)
    end,
  })
  if not ok or job <= 0 then
    return ('%s cannot be started; run %s'):format(path, binary.REPAIR)
  end
  this.job = job
  host = this
  this.timer = assert(vim.uv.new_timer())
  this.timer:start(
    M.HELLO_MS,
    0,
    vim.schedule_wrap(function()
      if not this.ready then
        give_up(
          this,
          ('%s gave no answer within %d s; run %s'):format(path, M.HELLO_MS / 1000, binary.REPAIR),
          true
        )
      end
    end)
  )
  rpc.attach(job)
end

--- Starts the host when there is none.
---@return string? problem
function M.ensure()
  if not host then
    require('brummer.quit').watch()
    return start()
  end
end

--- The host's answer to `hello`.
---@param json string
---@return true
function M.on_hello(json)
  local this = host
  local ok, info = pcall(vim.json.decode, json)
  if not this or this.ready then
    return true
  end
  if not ok or type(info) ~= 'table' then
    info = { protocol = -1, version = '?', pid = 0 }
  end
  if info.protocol ~= rpc.PROTOCOL then
    vim.schedule(function()
      give_up(
        this,
        ('%s speaks protocol %s, this plugin %d; run %s'):format(
          this.path,
          tostring(info.protocol),
          rpc.PROTOCOL,
          binary.REPAIR
        ),
        true
      )
    end)
    return true
  end
  stop_timer(this)
  this.ready, this.info = true, info
  require('brummer.news').reset()
  require('brummer.state').reset()
  local list = queued
  queued = {}
  for _, call in ipairs(list) do
    rpc.call(call.method, call.params, call.cb)
  end
  views('host_up')
  return true
end

--- Sends a user action, starting the host when needed. `cb` is answered exactly once. An empty error
--- text means that the reason has been said already.
---@param method string
---@param params table
---@param cb? fun(err: string?, value: table?)
function M.call(method, params, cb)
  local problem = M.ensure()
  if problem then
    require('brummer.notify').error(problem)
    if cb then
      cb('', nil)
    end
  elseif host and host.ready then
    rpc.call(method, params, cb)
  else
    queued[#queued + 1] = { method = method, params = params, cb = cb }
  end
end

--- Ends the host at the user's wish, e.g. after a build; the next command starts the new one.
function M.stop()
  if host then
    local this = host
    this.ended = true
    stop_timer(this)
    host = nil
    rpc.bye()
    rpc.detach('')
    require('brummer.news').host_down('stopped')
    require('brummer.state').host_down()
    views('host_down')
  end
end

--- Leaves without waiting: the host ends by itself when its channel closes.
function M.leave()
  leaving = true
  if host then
    stop_timer(host)
    rpc.bye()
  end
end

return M
