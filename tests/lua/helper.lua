--- A child Neovim with a screen, the plugin in it, and a fake host behind it.
local M = {}

local source = debug.getinfo(1, 'S').source:sub(2)
M.root = vim.fs.dirname(vim.fs.dirname(vim.fs.dirname(vim.fn.fnamemodify(source, ':p'))))
M.nvim = vim.env.NVIM_BIN and vim.env.NVIM_BIN ~= '' and vim.env.NVIM_BIN or 'nvim'

---@param path string
---@param text string
function M.write(path, text)
  vim.fn.mkdir(vim.fs.dirname(path), 'p')
  local file = assert(io.open(path, 'w'))
  file:write(text)
  file:close()
  return path
end

--- Waits until `fn` gives something true, and returns it.
---@param fn fun(): any
---@param what? string
---@param ms? integer
function M.wait(fn, what, ms)
  local value
  local ok = vim.wait(ms or 5000, function()
    value = fn()
    return value and true or false
  end, 5)
  if not ok then
    error('waited in vain for ' .. (what or 'a condition'), 2)
  end
  return value
end

---@param got any
---@param want any
---@param what? string
function M.eq(got, want, what)
  if not vim.deep_equal(got, want) then
    error(
      ('%s\n  got:  %s\n  want: %s'):format(
        what or 'not equal',
        vim.inspect(got),
        vim.inspect(want)
      ),
      2
    )
  end
end

---@param value any
---@param what? string
function M.ok(value, what)
  if not value then
    error(what or 'expected something true', 2)
  end
  return value
end

---@param text string
---@param pattern string plain
function M.has(text, pattern)
  if not tostring(text):find(pattern, 1, true) then
    error(('%q is not in\n%s'):format(pattern, tostring(text)), 2)
  end
end

---@class brummer.Child
local Child = {}
Child.__index = Child

---@class brummer.ChildOpts
---@field width? integer
---@field height? integer
---@field config? table vim.g.brummer
---@field env? table<string, string>
---@field binary? string|false
---@field files? table<string, string> files of the project
---@field args? string[]
---@field cwd? string the project of an earlier child

--- Starts a child Neovim in a new project directory.
---@param opts? brummer.ChildOpts
function M.child(opts)
  opts = opts or {}
  local self = setmetatable({}, Child)
  self.dir = vim.uv.fs_realpath(vim.fs.dirname(vim.fn.tempname())) .. '/c' .. vim.uv.hrtime()
  self.project = self.dir .. '/shop'
  self.spy_file = self.dir .. '/spy.jsonl'
  self.answers_file = self.dir .. '/answers.lua'
  vim.fn.mkdir(self.project, 'p')
  if opts.cwd then
    self.project = opts.cwd
  else
    M.write(
      self.project .. '/package.json',
      '{"scripts":{"dev":"vite","build":"vite build","api":"node api.js","worker":"node w.js"}}'
    )
  end
  for name, text in pairs(opts.files or {}) do
    M.write(self.project .. '/' .. name, text)
  end
  self.binary = self.dir .. '/brummer'
  M.write(
    self.binary,
    ('#!/bin/sh\nexec "%s" --clean -l "%s/tests/lua/fake_host.lua" "$@"\n'):format(
      vim.fn.exepath(M.nvim),
      M.root
    )
  )
  vim.uv.fs_chmod(self.binary, 493)
  local socket = self.dir .. '/s'
  local argv = { M.nvim, '--embed', '--headless', '--clean', '--listen', socket }
  vim.list_extend(argv, { '--cmd', 'set rtp^=' .. M.root, '--cmd', 'runtime plugin/brummer.lua' })
  vim.list_extend(argv, opts.args or {})
  self.job = vim.fn.jobstart(argv, {
    rpc = true,
    cwd = self.project,
    env = vim.tbl_extend('force', {
      FAKE_HOST_SPY = self.spy_file,
      FAKE_HOST_ANSWERS = self.answers_file,
      XDG_STATE_HOME = self.dir .. '/state',
      XDG_DATA_HOME = self.dir .. '/data',
      XDG_CACHE_HOME = self.dir .. '/cache',
      XDG_CONFIG_HOME = self.dir .. '/config',
      NVIM_LOG_FILE = self.dir .. '/nvim.log',
    }, opts.env or {}),
    on_exit = function()
      self.gone = true
    end,
  })
  assert(self.job > 0, 'cannot start ' .. M.nvim)
  local config = opts.config or {}
  if opts.binary ~= false then
    config.binary = config.binary or opts.binary or self.binary
  end
  self:lua(
    [[
      vim.g.brummer = ...
      _G.said = {}
      local notify = vim.notify
      vim.notify = function(message, level, o)
        table.insert(_G.said, message)
        return notify(message, level, o)
      end
    ]],
    config
  )
  self:ui(opts.width or 80, opts.height or 24, socket)
  return self
end

--- Attaches a screen over a second connection whose drawing is thrown away.
function Child:ui(width, height, socket)
  self.pipe = assert(vim.uv.new_pipe())
  local connected
  self.pipe:connect(socket, function(err)
    connected = err or true
  end)
  M.wait(function()
    return connected
  end, 'the connection')
  assert(connected == true, connected)
  self.pipe:read_start(function() end)
  self:resize(width, height, 'nvim_ui_attach')
  M.wait(function()
    return self:lua('return #vim.api.nvim_list_uis() == 1 and vim.o.columns == ...', width)
  end, 'the screen')
end

function Child:resize(width, height, method)
  local params = { width, height }
  if method then
    params[3] = { rgb = true, ext_linegrid = true }
  end
  self.pipe:write(vim.mpack.encode({ 0, 1, method or 'nvim_ui_try_resize', params }))
end

--- Runs Lua in the child.
---@param code string
function Child:lua(code, ...)
  local value = vim.rpcrequest(self.job, 'nvim_exec_lua', code, { ... })
  if value ~= vim.NIL then
    return value
  end
end

--- Runs an Ex command in the child.
---@param command string
function Child:cmd(command)
  return vim.rpcrequest(self.job, 'nvim_exec2', command, { output = true }).output
end

--- Types keys and waits until they have been read.
---@param keys string
function Child:type(keys)
  vim.rpcrequest(self.job, 'nvim_input', keys)
  M.wait(function()
    return vim.rpcrequest(self.job, 'nvim_get_mode').blocking
      or self:lua('return vim.fn.getchar(1) == 0')
  end, 'the keys')
end

---@return { mode: string, blocking: boolean }
function Child:mode()
  return vim.rpcrequest(self.job, 'nvim_get_mode')
end

--- Lines of a buffer.
---@param buf? integer
---@return string[]
function Child:lines(buf)
  return self:lua('return vim.api.nvim_buf_get_lines(..., 0, -1, false)', buf or 0)
end

--- The screen as text.
---@return string
function Child:screen()
  return self:lua([[
    vim.cmd.redraw()
    local rows = {}
    for row = 1, vim.o.lines do
      local cells = {}
      for col = 1, vim.o.columns do
        cells[col] = vim.fn.screenstring(row, col)
      end
      rows[row] = (table.concat(cells):gsub('%s+$', ''))
    end
    return table.concat(rows, '\n')
  ]])
end

--- Applies a frame as the host would.
---@param frame table
function Child:frame(frame)
  return self:lua([[return require('brummer.rpc').frame(vim.mpack.encode(...))]], frame)
end

--- Sends lines `first … last` of a log, in patches of 2,000.
---@param buf integer
---@param first integer
---@param last integer
---@param extra? table
function Child:print(buf, first, last, extra)
  return self:lua(
    [[
      local buf, first, last, extra = ...
      while first <= last do
        local stop = math.min(last, first + 1999)
        local lines = {}
        for n = first, stop do
          lines[#lines + 1] = 'line ' .. n
        end
        local patch = vim.tbl_extend('force', {
          buf = buf, id = 1, total = last, lines = lines,
          seqs = { first, #lines },
          times = { 1700000000000 + first * 1000, #lines },
        }, extra or {})
        require('brummer.rpc').frame(vim.mpack.encode({ rev = 1, logs = { patch } }))
        first, extra = stop + 1, nil
      end
    ]],
    buf,
    first,
    last,
    extra
  )
end

--- A row as the host sends it.
function Child:row(row)
  return vim.tbl_extend('force', {
    id = 1,
    name = 'dev',
    root = self.project,
    cwd = self.project,
    state = 'running',
    run = 1,
    command = 'npm run dev',
    script = 'vite',
    lines = 0,
    errors = 0,
  }, row or {})
end

--- Calls the host got.
---@param method? string
---@return { method: string, params: table }[]
function Child:calls(method)
  local list = {}
  local file = io.open(self.spy_file, 'r')
  if file then
    for line in file:lines() do
      local ok, call = pcall(vim.json.decode, line)
      if ok and (not method or call.method == method) then
        list[#list + 1] = call
      end
    end
    file:close()
  end
  return list
end

--- Waits for the n-th call of a method.
function Child:call(method, n)
  return M.wait(function()
    return self:calls(method)[n or 1]
  end, 'a call of ' .. method)
end

--- Replaces answers of the host: Lua text of a table.
---@param text string
function Child:answers(text)
  M.write(self.answers_file, text)
end

--- Runs a script and waits until its log is on screen and watched. Returns the buffer.
---@param command? string
---@return integer buf
function Child:open_log(command)
  self:cmd(command or 'BrummerRun dev')
  local buf = M.wait(function()
    return self:lua([[
      local view = require('brummer.ui.view').get(0)
      return view and view.kind == 'logs' and view.watching and view.buf
    ]])
  end, 'the log')
  self:call('watch')
  return buf
end

--- Has vim.ui.select note what it is asked and choose the n-th item; 0 cancels.
function Child:chooses(n)
  self:lua(
    [[
      local n = ...
      _G.asked = nil
      vim.ui.select = function(items, opts, cb)
        _G.asked = { prompt = opts.prompt, items = vim.tbl_map(opts.format_item, items) }
        cb(items[n])
      end
    ]],
    n
  )
end

--- Waits until vim.ui.select was asked something.
---@return { prompt: string, items: string[] }
function Child:asked()
  return M.wait(function()
    return self:lua('return _G.asked')
  end, 'a choice')
end

--- Everything vim.notify said.
---@return string
function Child:said()
  return table.concat(self:lua('return _G.said'), '\n')
end

--- Waits for a message.
function Child:hears(pattern)
  local ok = pcall(M.wait, function()
    return self:said():find(pattern, 1, true)
  end)
  if not ok then
    error(('no message %q; said:\n%s'):format(pattern, self:said()), 2)
  end
end

function Child:stop()
  if not self.gone then
    pcall(vim.fn.jobstop, self.job)
    vim.fn.jobwait({ self.job }, 3000)
  end
  if self.pipe and not self.pipe:is_closing() then
    self.pipe:close()
  end
  vim.fn.delete(self.dir, 'rf')
end

return M
