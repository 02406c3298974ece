--- Building the host: `:Brummer build` and the build hook of plugin managers.
local M = {}

local COMMAND = { 'cargo', 'build', '--release', '--locked' }

--- Runs cargo without blocking.
---@param dir string
---@param on_line fun(line: string)
---@param on_done fun(problem: string?)
function M.start(dir, on_line, on_done)
  if vim.fn.executable('cargo') == 0 then
    return on_done('cargo is missing; install Rust from https://rustup.rs')
  end
  local rest, tail = '', ''
  local function read(_, data)
    rest = rest .. (data or '\n')
    for line in rest:gmatch('([^\n]*)\n') do
      if line:find('%S') then
        on_line(line)
        tail = line:find('^error') and tail == '' and line or tail
      end
    end
    rest = rest:match('[^\n]*$')
  end
  local ok, err = pcall(
    vim.system,
    COMMAND,
    { cwd = dir, text = true, stdout = read, stderr = read },
    function(result)
      if result.code == 0 then
        return on_done(nil)
      end
      on_done(('cargo failed (exit %d)%s'):format(result.code, tail ~= '' and ': ' .. tail or ''))
    end
  )
  if not ok then
    on_done(tostring(err))
  end
end

--- Builds inside a plugin manager's coroutine: each line of progress is yielded, nothing waits.
---@param dir string
function M.hook(dir)
  local lines, done, problem = {}, false, nil
  M.start(dir, function(line)
    lines[#lines + 1] = line
  end, function(err)
    done, problem = true, err
  end)
  while not done or #lines > 0 do
    coroutine.yield(table.remove(lines, 1))
  end
  if problem then
    error('brummer: ' .. problem, 0)
  end
end

--- Makes the help tags, which plugin managers do by themselves.
---@return boolean
function M.helptags()
  local doc = vim.fs.joinpath(require('brummer.binary').plugin_dir(), 'doc')
  return (pcall(vim.cmd.helptags, vim.fn.fnameescape(doc)))
end

local building = false

--- `:Brummer build`: progress in the message line; a running host is replaced by the new one.
function M.command()
  local notify = require('brummer.notify')
  if building then
    return notify.say('a build is under way')
  end
  building = true
  local shown = 0
  notify.say('building; this takes a minute or two')
  M.start(
    require('brummer.binary').plugin_dir(),
    function(line)
      local now = vim.uv.now()
      if now - shown > 1000 then
        shown = now
        vim.schedule(function()
          vim.api.nvim_echo({ { require('brummer.text').fit(line, notify.room()) } }, false, {})
        end)
      end
    end,
    vim.schedule_wrap(function(problem)
      building = false
      if problem then
        return notify.error(problem)
      end
      M.helptags()
      local host = require('brummer.host')
      local running = require('brummer.state').counts().running
      if host.state() == 'down' then
        notify.say('built')
      elseif running == 0 then
        host.stop()
        notify.say('built; the next command uses the new program')
      else
        notify.say(
          ('built; used after the %s ended'):format(
            require('brummer.text').plural(running, 'process')
          )
        )
      end
    end)
  )
end

return M
