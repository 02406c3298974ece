--- The wire (doc/protocol.md): the only module that touches the channel.
local M = {}

--- Changes with every incompatible change of doc/protocol.md; the host has the same number.
M.PROTOCOL = 1
M.VERSION = '0.1.0'

---@type integer?
local channel
---@type table<integer, fun(err: string?, value: table?)>
local pending = {}
local last_id = 0

--- Parts of a frame in the order in which they are applied, and who applies them.
local PARTS = {
  { 'logs', 'brummer.ui.logs', 'apply' },
  { 'hits', 'brummer.ui.search', 'apply' },
  { 'terms', 'brummer.ui.terminal', 'apply' },
  { 'procs', 'brummer.state', 'apply_rows' },
  { 'events', 'brummer.news', 'apply' },
  { 'health', 'brummer.ui.health', 'apply' },
}

---@type table<string, boolean>
local reported = {}

---@param part string
---@param message string
local function fault(part, message)
  require('brummer.log').write('error', part .. ': ' .. message)
  if not reported[part] then
    reported[part] = true
    local first = message:gsub('\n.*', '')
    require('brummer.notify').error(('fault in %s: %s'):format(part, first))
  end
end
M.fault = fault

---@param fn function
---@param ... any
---@return boolean ok
---@return any
local function guarded(part, fn, ...)
  local args = { n = select('#', ...), ... }
  local ok, value = xpcall(function()
    return fn(unpack(args, 1, args.n))
  end, debug.traceback)
  if not ok then
    fault(part, value)
  end
  return ok, value
end

--- Takes over a fresh channel and says hello.
---@param id integer
function M.attach(id)
  channel, reported = id, {}
  pcall(vim.rpcnotify, id, 'hello', { protocol = M.PROTOCOL, version = M.VERSION })
end

---@return boolean
function M.attached()
  return channel ~= nil
end

--- Forgets the channel; every call under way is answered with `reason`.
---@param reason string
function M.detach(reason)
  channel = nil
  local calls = pending
  pending = {}
  local ids = vim.tbl_keys(calls)
  table.sort(ids)
  for _, id in ipairs(ids) do
    guarded('reply', calls[id], reason, nil)
  end
end

--- Asks the host to end and closes the channel, without waiting.
function M.bye()
  if channel then
    pcall(vim.rpcnotify, channel, 'call', last_id + 1, 'bye', vim.empty_dict())
    pcall(vim.fn.chanclose, channel)
    last_id, channel = last_id + 1, nil
  end
end

--- Sends a user action. `cb` gets exactly one answer: an error text or a value.
---@param method string
---@param params table
---@param cb? fun(err: string?, value: table?)
function M.call(method, params, cb)
  cb = cb or function() end
  if not channel then
    return cb('the host is not running', nil)
  end
  last_id = last_id + 1
  local id = last_id
  pending[id] = cb
  params = next(params) == nil and vim.empty_dict() or params
  local ok = pcall(vim.rpcnotify, channel, 'call', id, method, params)
  if not ok then
    pending[id] = nil
    cb('the host has ended', nil)
  end
end

---@param reply { id: integer, ok?: table, err?: string }
local function answer(reply)
  local id = reply.id
  local cb = pending[id]
  pending[id] = nil
  if cb then
    cb(reply.err, reply.err == nil and (reply.ok or {}) or nil)
  end
end

--- Applies one frame. The return value is the acknowledgement: the buffers that want to be sent whole again; without
--- any 'typing' while the user types, else true.
---@param bytes string msgpack
---@return true|'typing'|integer[]
function M.frame(bytes)
  local ok, frame = pcall(vim.mpack.decode, bytes)
  if not ok or type(frame) ~= 'table' then
    fault('frame', 'cannot be decoded: ' .. tostring(frame))
    return true
  end
  local again = {} ---@type integer[]
  for _, part in ipairs(PARTS) do
    local list = frame[part[1]]
    if type(list) == 'table' and next(list) ~= nil then
      local fine, value = guarded(part[1], function()
        return require(part[2])[part[3]](list)
      end)
      if fine and type(value) == 'table' then
        vim.list_extend(again, value)
      end
    end
  end
  for _, reply in ipairs(type(frame.replies) == 'table' and frame.replies or {}) do
    guarded('reply', answer, reply)
  end
  return #again > 0 and again or require('brummer.typing').now() and 'typing' or true
end

return M
