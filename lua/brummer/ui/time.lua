--- Time and process names left of a log, drawn by a window-local 'statuscolumn'.
local config = require('brummer.config')

local M = {}

-- Narrower windows keep their cells for the text.
local MIN_WIDTH = 60
local TIME_CELLS, NAME_CELLS = 8, 8
-- Groups of the names, in turn by the process's id.
local NAME_GROUPS = 6
local EXPRESSION = "%!v:lua.require'brummer.ui.time'.column()"

---@type table<integer, string> second -> text; a log shows few different ones at a time
local clock = {}
local clock_size = 0

---@param second integer
---@return string
local function format(second)
  local text = clock[second]
  if not text then
    if clock_size > 5000 then
      clock, clock_size = {}, 0
    end
    text = os.date('%H:%M:%S', second) --[[@as string]]
    clock[second], clock_size = text, clock_size + 1
  end
  return text
end

---@param view brummer.LogView
---@param row integer
---@return integer?
local function second(view, row)
  local t = row >= 0 and view.lines:time(row)
  return t and math.floor(t / 1000) or nil
end

--- The column of the row that is being drawn.
---@return string
function M.column()
  local win = vim.g.statusline_winid
  local view = require('brummer.ui.view').get(vim.api.nvim_win_get_buf(win)) --[[@as brummer.LogView?]]
  if not view or not view.lines then
    return '%s'
  end
  local row = vim.v.lnum - 1
  local time, name, group = (' '):rep(TIME_CELLS), nil, 1
  if not view.script then
    name = (' '):rep(NAME_CELLS)
  end
  if vim.v.virtnum == 0 and row < view.lines.count then
    local now, above = second(view, row), second(view, row - 1)
    if now and now ~= above then
      time = format(now)
    end
    if name then
      local _, id = view.lines:at(row)
      local _, before = view.lines:at(row - 1)
      local process = id ~= before and id and require('brummer.state').get(id)
      local called = process and process.name
      if view.names then
        called = id ~= before and view.names[id]
      end
      if called then
        name = require('brummer.text').pad(called, NAME_CELLS):gsub('%%', '%%%%')
        group = (id - 1) % NAME_GROUPS + 1
      end
    end
  end
  if name then
    return ('%%#BrummerTime#%s %%#BrummerLogName%d#%s%%*%%s'):format(time, group, name)
  end
  return ('%%#BrummerTime#%s%%*%%s'):format(time)
end

--- Sets or removes the column of a window, by its width.
---@param win integer
---@param view brummer.View
function M.style(win, view)
  local wide = config.get().time and vim.api.nvim_win_get_width(win) >= MIN_WIDTH
  local want, wo = wide and EXPRESSION or '', vim.wo[win][0]
  if vim.wo[win].statuscolumn ~= want then
    wo.statuscolumn = want
    -- Between a new line and the next drawing Neovim takes the column to be as wide as that of numbers, and of
    -- lines that wrap a window that is not current would show too many: not the last ones.
    wo.number = wide
    wo.numberwidth = view.script and TIME_CELLS or TIME_CELLS + 1 + NAME_CELLS
  end
  M.watch(view)
end

local watching = false

--- Looks at the widths again when windows change.
function M.watch(_)
  if watching then
    return
  end
  watching = true
  vim.api.nvim_create_autocmd({ 'WinResized', 'VimResized' }, {
    group = vim.api.nvim_create_augroup('brummer.time', {}),
    desc = 'brummer: show times where there is room',
    callback = function()
      local views = require('brummer.ui.view')
      for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
        local view = views.get(vim.api.nvim_win_get_buf(win))
        if view and view.kind == 'logs' then
          M.style(win, view)
        end
      end
    end,
  })
end

return M
