--- Terminals of processes with `pty = true`: a terminal buffer fed with the bytes the process prints. What is typed
--- there goes to the process; closing it ends nothing.
local host = require('brummer.host')
local notify = require('brummer.notify')
local rpc = require('brummer.rpc')
local state = require('brummer.state')
local text = require('brummer.text')

local M = {}

---@class brummer.Terminal
---@field buf integer
---@field chan integer
---@field id integer process
---@field root string
---@field name string
---@field replaying boolean what is drawn is old: its questions were answered or are past
---@field refused? string why keys are not taken; said once

---@type table<integer, brummer.Terminal>
local terminals = {}

local PREFIX = 'brummer://terminal'

---@param row brummer.Row
---@return string
local function buffer_name(row)
  return (require('brummer.ui.view').log_name(row.root, row.name):gsub('^brummer://logs', PREFIX))
end

--- The terminal in a buffer.
---@param buf integer
---@return brummer.Terminal?
function M.get(buf)
  return terminals[buf == 0 and vim.api.nvim_get_current_buf() or buf]
end

--- The buffer that shows the terminal of a process.
---@param id integer
---@return integer?
function M.of(id)
  for buf, terminal in pairs(terminals) do
    if terminal.id == id then
      return buf
    end
  end
end

--- The process of the terminal the cursor is in.
---@return brummer.Row?
function M.row()
  local terminal = M.get(0)
  return terminal and state.find(terminal.root, terminal.name)
end

---@param terminal brummer.Terminal
---@param bytes string
local function write(terminal, bytes)
  -- The channel goes with the buffer.
  pcall(vim.api.nvim_chan_send, terminal.chan, bytes)
end

--- Keys, and what the terminal itself answers to questions of the program.
---@param terminal brummer.Terminal
---@param bytes string
local function input(terminal, bytes)
  local row = state.get(terminal.id)
  if terminal.replaying or not rpc.attached() or not state.alive(row) then
    return
  end
  rpc.call('input', { id = terminal.id, bytes = bytes }, function(err)
    if err and err ~= '' and err ~= terminal.refused then
      notify.error(err)
    end
    terminal.refused = err
  end)
end

---@param terminal brummer.Terminal
local function forget(terminal)
  if terminals[terminal.buf] == terminal then
    terminals[terminal.buf] = nil
    if rpc.attached() then
      rpc.call('detach', { buf = terminal.buf })
    end
    require('brummer.ui.size').sync()
  end
end

--- How a process ended, below what it printed.
---@param id integer
local function ended(id)
  for _, terminal in pairs(terminals) do
    if terminal.id == id then
      local row = state.get(id)
      local how = row and state.ending(row) or 'ended'
      -- Modes a program has left on would be those of what comes next.
      write(
        terminal,
        ('\27[?1047l\27[?25h\27[0m\r\n\27[2m[%s: %s]\27[0m\r\n'):format(terminal.name, how)
      )
    end
  end
end

local watching = false

local function watch()
  if watching then
    return
  end
  watching = true
  vim.api.nvim_create_autocmd('User', {
    group = vim.api.nvim_create_augroup('brummer.terminal', {}),
    pattern = 'BrummerProcessExited',
    desc = 'brummer: say in a terminal how its process ended',
    callback = function(args)
      ended(args.data.id)
    end,
  })
end

---@param row brummer.Row
---@return brummer.Terminal
local function create(row)
  watch()
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, buffer_name(row))
  ---@type brummer.Terminal
  local terminal =
    { buf = buf, chan = 0, id = row.id, root = row.root, name = row.name, replaying = false }
  terminal.chan = vim.api.nvim_open_term(buf, {
    on_input = function(_, _, _, bytes)
      input(terminal, bytes)
    end,
  })
  -- Shown again, it is drawn from what the host keeps.
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].scrollback = 10000
  terminals[buf] = terminal
  vim.api.nvim_create_autocmd({ 'BufUnload', 'BufWipeout' }, {
    buffer = buf,
    desc = 'brummer: leave a terminal, not its process',
    callback = function()
      forget(terminal)
    end,
  })
  require('brummer.ui.keys').attach(buf, 'terminal')
  vim.bo[buf].filetype = 'brummer-terminal'
  return terminal
end

--- Opens the terminal of a process.
---@param row brummer.Row
---@param open? brummer.OpenOpts
function M.open(row, open)
  local window = require('brummer.ui.window')
  local win = vim.api.nvim_get_current_win()
  local function show(buf)
    local opts = vim.deepcopy(open or {})
    -- Somebody who has gone on to something else meanwhile keeps the cursor.
    opts.stay = opts.stay
      or vim.api.nvim_get_current_win() ~= win
      or vim.api.nvim_get_mode().mode ~= 'n'
    local shown = window.open(buf, opts)
    vim.wo[shown][0].winbar = ''
    vim.wo[shown][0].statuscolumn = ''
    vim.wo[shown][0].signcolumn = 'no'
    vim.wo[shown][0].foldcolumn = '0'
    vim.wo[shown][0].number = false
    vim.wo[shown][0].relativenumber = false
    require('brummer.ui.size').sync()
    if not opts.stay then
      vim.cmd.startinsert()
    end
  end
  local known = M.of(row.id)
  if known then
    return show(known)
  end
  local terminal = create(row)
  terminal.replaying = true
  host.call('attach', { buf = terminal.buf, id = row.id }, function(err)
    if not vim.api.nvim_buf_is_valid(terminal.buf) then
      return
    elseif err then
      terminals[terminal.buf] = nil
      vim.api.nvim_buf_delete(terminal.buf, { force = true })
      return notify.failed(err)
    end
    show(terminal.buf)
  end)
end

---@param terminal brummer.Terminal
---@param patch { bytes: string, reset?: boolean, lost?: integer }
local function apply(terminal, patch)
  terminal.replaying = patch.reset or false
  if patch.reset then
    write(terminal, '\27c')
    if (patch.lost or 0) > 0 then
      local lost = ('… %s not kept …'):format(text.bytes(patch.lost))
      write(terminal, ('\27[2m%s\27[0m\r\n'):format(lost))
    end
  end
  write(terminal, patch.bytes)
  terminal.replaying = false
  if (patch.lost or 0) > 0 then
    -- A program that draws on the whole screen draws all of it when the size changes.
    require('brummer.ui.size').redraw(terminal.id)
  end
end

--- Applies the part of a frame about terminals.
---@param list { buf: integer, bytes: string, reset?: boolean, lost?: integer }[]
function M.apply(list)
  for _, patch in ipairs(list) do
    local terminal = terminals[patch.buf]
    if terminal then
      apply(terminal, patch)
    end
  end
end

--- The host has gone: what is shown stays, and belongs to no process any more.
function M.host_down()
  for _, terminal in pairs(terminals) do
    terminal.id = -1
    write(terminal, '\27[?1047l\27[0m\r\n\27[2m[the host has ended]\27[0m\r\n')
  end
end

--- A new host numbers anew, and knows of no size.
function M.host_up()
  require('brummer.ui.size').host_up()
end

--- A buffer that has only the name of a terminal, from a session or `:edit`.
---@param buf integer
---@return boolean
function M.restore(buf)
  if not vim.startswith(vim.api.nvim_buf_get_name(buf), PREFIX) then
    return false
  end
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].modified = false
  notify.say('a terminal is opened by :Brummer attach')
  return true
end

return M
