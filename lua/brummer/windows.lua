--- Windows a jump may use, and the order in which they were entered.
local M = {}

local watching = false
---@type table<integer, integer> window -> when it was entered last
local entered = {}
local tick = 0

---@param win integer
local function note(win)
  tick = tick + 1
  entered[win] = tick
end

--- Starts to remember the order in which windows are entered.
function M.watch()
  if watching then
    return
  end
  watching = true
  local previous = vim.fn.win_getid(vim.fn.winnr('#'))
  if previous ~= 0 then
    note(previous)
  end
  note(vim.api.nvim_get_current_win())
  local group = vim.api.nvim_create_augroup('brummer.location', {})
  vim.api.nvim_create_autocmd('WinEnter', {
    group = group,
    desc = 'brummer: remember the window to jump to',
    callback = function()
      note(vim.api.nvim_get_current_win())
    end,
  })
  vim.api.nvim_create_autocmd('WinClosed', {
    group = group,
    desc = 'brummer: forget a window',
    callback = function(args)
      entered[tonumber(args.match)] = nil
    end,
  })
end

--- Whether 'switchbuf' has a word.
---@param word string
---@return boolean
function M.switchbuf(word)
  return vim.tbl_contains(vim.split(vim.o.switchbuf, ',', { trimempty = true }), word)
end

--- Whether a window floats.
---@param win integer
---@return boolean
function M.floating(win)
  return vim.api.nvim_win_get_config(win).relative ~= ''
end

--- A window whose buffer may be replaced.
---@param win integer
---@return boolean
local function usable(win)
  return not M.floating(win)
    and not vim.wo[win].previewwindow
    and not vim.wo[win].winfixbuf
    and vim.bo[vim.api.nvim_win_get_buf(win)].buftype == ''
end

--- Whether another buffer in that window would abandon changes.
---@param win integer
---@return boolean
function M.loses_changes(win)
  local buf = vim.api.nvim_win_get_buf(win)
  local hidden = vim.bo[buf].bufhidden
  local keeps = hidden == 'hide' or hidden == '' and vim.o.hidden
  return vim.bo[buf].modified and not keeps and #vim.fn.win_findbuf(buf) == 1
end

--- The window entered last, of those given, that shows a file.
---@param file string
---@param wins integer[]
---@return integer?
function M.showing(file, wins)
  local found
  for _, win in ipairs(wins) do
    local buf = vim.api.nvim_win_get_buf(win)
    if vim.bo[buf].buftype == '' and vim.api.nvim_buf_get_name(buf) == file then
      if not found or (entered[win] or 0) > (entered[found] or 0) then
        found = win
      end
    end
  end
  return found
end

--- The last entered usable window of this tab page.
---@return integer?
function M.last_used()
  local best
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if usable(win) and (not best or (entered[win] or 0) > (entered[best] or 0)) then
      best = win
    end
  end
  return best
end

return M
