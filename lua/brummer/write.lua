--- `:w FILE` in a log: the host writes all the view stands for. A range and `:w >>` write what is shown.
local host = require('brummer.host')
local notify = require('brummer.notify')
local text = require('brummer.text')

local M = {}

-- How long `:w` holds the editor; a large log is written on behind it.
local WAIT_MS = 1000
local HOW = 'use :w FILE'

---@param path string
---@return string
local function short(path)
  return vim.fn.fnamemodify(path, ':~:.')
end

--- What libuv says, without its code: `permission denied`.
---@param err string
---@return string
local function why(err)
  return (err:gsub('^[%u%d]+: ', ''):gsub(': .*$', ''))
end

---@param path string
---@param data string
---@param flags string
---@param mode integer
---@return string? err
local function put(path, data, flags, mode)
  local file, err = vim.uv.fs_open(path, flags, mode)
  if not file then
    return err
  end
  local done, problem = vim.uv.fs_write(file, data)
  vim.uv.fs_close(file)
  return not done and problem or done < #data and 'ENOSPC: not all of it could be written' or nil
end

--- Writes lines: beside the file, then in its place, so that it is there whole or as it was.
---@param path string
---@param lines string[]
---@param append boolean
---@return string? problem
function M.lines(path, lines, append)
  local data = table.concat(lines, '\n') .. '\n'
  if append then
    local err = put(path, data, 'a', 420)
    return err and why(err)
  end
  path = vim.uv.fs_realpath(path) or path
  local stat = vim.uv.fs_stat(path)
  local beside = ('%s.%d~'):format(path, vim.uv.os_getpid())
  local err = put(beside, data, 'wx', stat and stat.mode % 4096 or 420)
  if not err then
    _, err = vim.uv.fs_rename(beside, path)
  end
  if err then
    vim.uv.fs_unlink(beside)
  end
  return err and why(err)
end

--- Writes rows of a buffer.
---@param buf integer
---@param path string
---@param first integer
---@param last integer
---@param append boolean
local function write_shown(buf, path, first, last, append)
  local lines = vim.api.nvim_buf_get_lines(buf, first - 1, last, false)
  local problem = M.lines(path, lines, append)
  if problem then
    return notify.error(('%s: %s'):format(short(path), problem))
  end
  local how = append and 'appended to' or 'written to'
  notify.say(('%s %s %s'):format(text.plural(#lines, 'line'), how, short(path)))
end

--- Has the host write everything the view stands for.
---@param view brummer.LogView
---@param path string
---@param force boolean
local function write_all(view, path, force)
  local shown, late = view.lines.count, false
  local answer ---@type { err?: string, lines: integer }?
  local function report()
    if answer.err then
      return notify.failed(answer.err)
    end
    local said = ('%s written to %s'):format(text.plural(answer.lines, 'line'), short(path))
    if answer.lines ~= shown then
      said = notify.with_tail(said, ('; %s %s shown'):format(text.count(shown), shown == 1 and 'was' or 'were'))
    end
    notify.say(said)
  end
  host.call('write', {
    root = view.root,
    name = view.script,
    filter = view.filter and require('brummer.filter').sent(view.filter),
    session = require('brummer.previous').stands(view) and view.session.at or nil,
    path = path,
    force = force or nil,
  }, function(err, value)
    answer = { err = err, lines = value and value.lines or 0 }
    if late then
      report()
    end
  end)
  vim.wait(WAIT_MS, function()
    return answer ~= nil
  end, 10)
  -- Not in there: an error message in the middle of an autocommand would be one of the autocommand.
  if answer then
    return report()
  end
  late = true
  notify.say(('writing %s goes on'):format(short(path)))
end

--- `:saveas` has given the buffer another name, and a new buffer its own: back.
---@param view brummer.View
local function take_back(view)
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if buf ~= view.buf and vim.api.nvim_buf_get_name(buf) == view.name then
      vim.api.nvim_buf_delete(buf, { force = true })
    end
  end
  local file = vim.api.nvim_buf_get_name(view.buf)
  vim.api.nvim_buf_set_name(view.buf, view.name)
  vim.bo[view.buf].buflisted = false
  -- The new name stays behind as a buffer of its own.
  local left = vim.fn.bufnr('^' .. vim.fn.escape(file, '\\*?[{') .. '$')
  if left > 0 and left ~= view.buf and not vim.api.nvim_buf_is_loaded(left) then
    pcall(vim.api.nvim_buf_delete, left, { force = true })
  end
end

---@param view brummer.View
---@param event string
---@param file string
local function write(view, event, file)
  if vim.api.nvim_buf_get_name(view.buf) ~= view.name then
    vim.schedule(function()
      take_back(view)
      notify.error(HOW)
    end)
    return
  end
  local path, bang = vim.fn.fnamemodify(file, ':p'), vim.v.cmdbang == 1
  local first, last = vim.fn.line("'["), vim.fn.line("']")
  if event == 'FileAppendCmd' and not bang and not vim.uv.fs_stat(path) then
    return notify.error(('%s: no such file; :w! >> makes it'):format(short(path)))
  end
  local log = view --[[@as brummer.LogView]]
  local kept = view.kind == 'logs' and host.state() == 'ready'
  local come = view.kind == 'logs' and (log.session or not require('brummer.previous').stands(log))
  if event == 'BufWriteCmd' and kept and come then
    return write_all(log, path, bang or vim.o.writeany)
  end
  write_shown(view.buf, path, first, last, event == 'FileAppendCmd')
end

--- A plain `:w` never comes to an autocommand in such a buffer, and `:saveas` renames it first: both
--- are stopped where they are typed.
local function on_cmdline()
  local view = require('brummer.ui.view').get(0)
  if vim.v.event.abort or not view or view.kind ~= 'logs' and view.kind ~= 'search' then
    return
  end
  local ok, cmd = pcall(vim.api.nvim_parse_cmd, vim.fn.getcmdline(), {})
  if not ok or not (cmd.cmd == 'saveas' or cmd.cmd == 'write' and #cmd.args == 0) then
    return
  end
  vim.cmd('let v:event.abort = v:true')
  notify.say(HOW)
end

--- Takes over writing in a buffer.
---@param view brummer.View
function M.attach(view)
  local group = vim.api.nvim_create_augroup('brummer.write.' .. view.buf, {})
  vim.api.nvim_create_autocmd({ 'BufWriteCmd', 'FileWriteCmd', 'FileAppendCmd' }, {
    group = group,
    buffer = view.buf,
    desc = 'brummer: write a log',
    callback = function(args)
      write(view, args.event, args.file)
    end,
  })
  vim.api.nvim_create_autocmd('CmdlineLeave', {
    group = vim.api.nvim_create_augroup('brummer.write', {}),
    pattern = ':',
    desc = 'brummer: say how a log is written',
    callback = on_cmdline,
  })
end

return M
