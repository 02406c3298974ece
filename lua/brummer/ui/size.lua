--- How large the terminals of processes are: as the window that shows one, else as wide as the widest window that shows
--- the log, else 80 by 24.
local rpc = require('brummer.rpc')
local state = require('brummer.state')

local M = {}

local COLS, ROWS = 80, 24

---@type table<integer, string> what the host was told last, by process
local told = {}
local watching = false

--- The largest text area among the windows that show a buffer.
---@param buf integer
---@return integer? cols
---@return integer? rows
local function area(buf)
  local cols, rows
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    local info = vim.fn.getwininfo(win)[1]
    cols = math.max(cols or 1, info.width - info.textoff)
    rows = math.max(rows or 1, info.height)
  end
  return cols, rows
end

--- The size a process's terminal is to have.
---@param row brummer.Row
---@return integer cols
---@return integer rows
function M.of(row)
  local buf = require('brummer.ui.terminal').of(row.id)
  local cols, rows
  if buf then
    cols, rows = area(buf)
  end
  if cols then
    return cols, rows --[[@as integer]]
  end
  for _, view in ipairs(require('brummer.ui.view').all('logs')) do
    if view.root == row.root and view.script == row.name then
      cols = area(view.buf)
      if cols then
        return cols, ROWS
      end
    end
  end
  return COLS, ROWS
end

---@param id integer
---@param cols integer
---@param rows integer
local function tell(id, cols, rows)
  local size = ('%dx%d'):format(cols, rows)
  if (told[id] or ('%dx%d'):format(COLS, ROWS)) ~= size then
    told[id] = size
    rpc.call('resize', { id = id, cols = cols, rows = rows })
  end
end

--- Tells the host of sizes that have changed.
function M.sync()
  if not rpc.attached() then
    return
  end
  for _, row in ipairs(state.rows()) do
    if row.terminal then
      M.setup()
      tell(row.id, M.of(row))
    end
  end
end

--- Has a program draw everything again: a size that changes makes it.
---@param id integer
function M.redraw(id)
  local row = state.get(id)
  if row and rpc.attached() then
    local cols, rows = M.of(row)
    tell(id, cols, math.max(rows - 1, 1))
    tell(id, cols, rows)
  end
end

--- A new host knows of no size.
function M.host_up()
  told = {}
end

--- Sets the autocommands, once there is a terminal.
function M.setup()
  if watching then
    return
  end
  watching = true
  vim.api.nvim_create_autocmd({ 'WinResized', 'VimResized', 'BufWinEnter', 'WinClosed', 'TabEnter' }, {
    group = vim.api.nvim_create_augroup('brummer.size', {}),
    desc = 'brummer: terminals are as large as their windows',
    callback = vim.schedule_wrap(M.sync),
  })
end

return M
