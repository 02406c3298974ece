-- The headless form of `make try`: runs `dev`, waits for the first error in its log, jumps from it to the source,
-- prints the log and the place. Keys are typed as a user would type them.

local limit = vim.uv.hrtime() + 60e9
local out = {}

local function finish(code)
  io.stdout:write(table.concat(out, '\n'), '\n')
  io.stdout:flush()
  vim.cmd(code == 0 and 'qall!' or (code .. 'cquit!'))
end

local function say(text) out[#out + 1] = text end

local function log_lines(buf)
  say('--- ' .. vim.api.nvim_buf_get_name(buf))
  for _, line in ipairs(vim.api.nvim_buf_get_lines(buf, 0, -1, true)) do say(line) end
end

local function fail(why)
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(buf):match('^brummer://') then log_lines(buf) end
  end
  local messages = vim.api.nvim_exec2('messages', { output = true }).output
  if messages ~= '' then say('--- messages\n' .. messages) end
  say('brummer: ' .. why)
  finish(1)
end

--- Calls `done` when `ready` gives a value, `fail` after a minute.
local function when(what, ready, done)
  local timer = assert(vim.uv.new_timer())
  timer:start(0, 50, vim.schedule_wrap(function()
    if not timer:is_active() then return end
    local ok, value = pcall(ready)
    if ok and value then
      timer:stop()
      done(value)
    elseif vim.uv.hrtime() > limit then
      timer:stop()
      fail('waited in vain for ' .. what .. (ok and '' or ': ' .. tostring(value)))
    end
  end))
end

-- Before there is a log, an error is the answer to the command.
local refused
local notify = vim.notify
vim.notify = function(text, level, opts)
  if level == vim.log.levels.ERROR then refused = refused or text end
  return notify(text, level, opts)
end

local ran, err = pcall(vim.cmd, 'BrummerRun dev')
if not ran then return fail(tostring(err)) end

when('the log of dev', function()
  local buf = vim.api.nvim_get_current_buf()
  if refused then
    limit = 0
    error(refused)
  end
  return vim.api.nvim_buf_get_name(buf):match('^brummer://logs') and vim.api.nvim_buf_line_count(buf) > 1 and buf
end, function(buf)
  when('an error in the log', function()
    local status = require('brummer').status('dev')
    if status and status.errors > 0 then return true end
    if status and (status.state == 'failed' or status.state == 'success' or status.state == 'stopped') then
      limit = 0
      error('dev ended (' .. status.state .. ') and printed no error that names a place')
    end
  end, function()
    vim.api.nvim_input('gg]e<CR>')
    when('the source of the error', function()
      local at = vim.api.nvim_get_current_buf()
      return vim.bo[at].buftype == '' and vim.api.nvim_buf_get_name(at) ~= '' and vim.api.nvim_get_current_line() ~= ''
    end, function()
      log_lines(buf)
      local pos = vim.api.nvim_win_get_cursor(0)
      say('--- jumped to')
      say(('%s:%d:%d'):format(vim.fn.expand('%:.'), pos[1], pos[2] + 1))
      say(vim.api.nvim_get_current_line())
      finish(0)
    end)
  end)
end)
