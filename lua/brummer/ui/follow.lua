--- Follow: a flag of a window that keeps it at the end of its log. Only the user's own movement
--- changes it.
local M = {}

---@class (exact) brummer.Follow
---@field buf integer
---@field on boolean
---@field lnum integer cursor line when last looked at
---@field before? integer cursor line before the text changed, while the user is held
---@field width integer
---@field height integer

---@type table<integer, brummer.Follow>
local entries = {}
---@type fun(win: integer, buf: integer)[]
local listeners = {}

--- Calls `fn` when the flag of a window changed.
---@param fn fun(win: integer, buf: integer)
function M.subscribe(fn)
  listeners[#listeners + 1] = fn
end

---@param win integer
---@return boolean
local function at_end(win)
  return vim.api.nvim_win_call(win, function()
    local last = vim.fn.line('$')
    return vim.fn.line('.') >= last or vim.fn.foldclosedend('.') >= last
  end)
end

---@param win integer
---@param entry brummer.Follow
local function remember(win, entry)
  entry.lnum = vim.api.nvim_win_get_cursor(win)[1]
  entry.width = vim.api.nvim_win_get_width(win)
  entry.height = vim.api.nvim_win_get_height(win)
end

--- The user is in the middle of something in the current window.
---@return boolean
function M.selecting()
  return vim.api.nvim_get_mode().mode:find('^[vVsS\22\19]') ~= nil
    or vim.api.nvim_get_mode().mode:find('^no') ~= nil
end

--- The user types a command or a pattern. Where the cursor is then ('incsearch') is not yet where he goes.
---@param win integer
---@return boolean
local function typing(win)
  return win == vim.api.nvim_get_current_win() and vim.api.nvim_get_mode().mode:find('^c') ~= nil
end

---@param win integer
---@return boolean
local function held(win)
  return typing(win) or win == vim.api.nvim_get_current_win() and M.selecting()
end

--- Starts to follow in a window that has come to show a log.
---@param win integer
---@param buf integer
---@param on boolean
function M.open(win, buf, on)
  local entry = { buf = buf, on = on, lnum = 1, width = 0, height = 0 }
  entries[win] = entry
  remember(win, entry)
  if on then
    M.to_end(win)
  end
end

---@param win integer
---@return brummer.Follow?
local function entry_of(win)
  local entry = entries[win]
  if entry and vim.api.nvim_win_is_valid(win) and vim.api.nvim_win_get_buf(win) == entry.buf then
    return entry
  end
  entries[win] = nil
end

--- Whether a window follows; one that was never opened as such does when it stands at the end.
---@param win integer
---@return boolean
function M.on(win)
  local entry = entry_of(win)
  if not entry then
    M.open(win, vim.api.nvim_win_get_buf(win), at_end(win))
    entry = entries[win]
  end
  return entry.on
end

---@param win integer
---@param entry brummer.Follow
---@param on boolean
local function set(win, entry, on)
  if entry.on ~= on then
    entry.on = on
    for _, fn in ipairs(listeners) do
      fn(win, entry.buf)
    end
  end
end

--- Shows the last line at the bottom of a window.
---@param win integer
function M.to_end(win)
  local entry = entry_of(win)
  if not entry or held(win) then
    return
  end
  local last = vim.api.nvim_buf_line_count(entry.buf)
  vim.api.nvim_win_set_cursor(win, { last, 0 })
  local resized = entry.width ~= vim.api.nvim_win_get_width(win)
    or entry.height ~= vim.api.nvim_win_get_height(win)
  if resized then
    vim.api.nvim_win_call(win, function()
      vim.cmd.normal({ 'zb', bang = true })
    end)
  end
  remember(win, entry)
end

--- Looks where the cursor of a window is now and what that means. A window that changed its size
--- moved the cursor by itself ('splitkeep'): that is not the user.
---@param win integer
function M.look(win)
  local entry = entry_of(win)
  if not entry or typing(win) then
    return
  end
  local resized = entry.width ~= vim.api.nvim_win_get_width(win)
    or entry.height ~= vim.api.nvim_win_get_height(win)
  if entry.on and resized then
    return M.to_end(win)
  end
  local moved = vim.api.nvim_win_get_cursor(win)[1] ~= entry.lnum
  local on = entry.on
  if at_end(win) then
    on = true
  elseif moved then
    on = false
  end
  remember(win, entry)
  set(win, entry, on)
end

--- Before a frame: a movement whose CursorMoved has not come yet still counts.
---@param wins integer[]
function M.before(wins)
  local current = vim.api.nvim_get_current_win()
  for _, win in ipairs(wins) do
    M.on(win)
    if win == current then
      M.look(win)
    end
    local entry = entries[win]
    entry.before = held(win) and (entry.before or vim.api.nvim_win_get_cursor(win)[1]) or nil
  end
end

--- After a frame: followers go to the end, the cursor lines of the others are noted.
---@param wins integer[]
function M.after(wins)
  for _, win in ipairs(wins) do
    local entry = entry_of(win)
    if entry and entry.on and not held(win) then
      M.to_end(win)
    elseif entry then
      local lnum = vim.api.nvim_win_get_cursor(win)[1]
      if entry.before then
        -- The line that was looked at last has moved as far as the one the cursor is in now.
        entry.lnum = entry.lnum + lnum - entry.before
      elseif not held(win) then
        entry.lnum = lnum
      end
      entry.before = nil
    end
  end
end

--- Leaves room for a virtual line below the last one in the windows that follow: Neovim shows none that needs scrolling.
---@param wins integer[]
function M.room_below(wins)
  for _, win in ipairs(wins) do
    local entry = entry_of(win)
    if entry and entry.on and not held(win) then
      vim.api.nvim_win_call(win, function()
        if vim.fn.winline() >= vim.api.nvim_win_get_height(win) - (vim.wo.winbar ~= '' and 1 or 0) then
          vim.cmd.normal({ '\5', bang = true })
        end
      end)
    end
  end
end

--- Brings every following window of this tab page to the end.
local function settle()
  for win, entry in pairs(entries) do
    if entry_of(win) and entry.on then
      local config = vim.api.nvim_win_get_tabpage(win)
      if config == vim.api.nvim_get_current_tabpage() then
        M.to_end(win)
      end
    end
  end
end

--- A window split off one that follows does too: while the user typed the command, the cursor of that
--- one was held above the end.
local function inherit()
  local win = vim.api.nvim_get_current_win()
  local buf, lnum = vim.api.nvim_win_get_buf(win), vim.api.nvim_win_get_cursor(win)[1]
  for other, entry in pairs(entries) do
    if entry.on and entry.buf == buf and entry_of(other) and entry.lnum == lnum then
      return M.open(win, buf, true)
    end
  end
end

local watching = false

--- Sets the autocommands, once.
function M.setup()
  if watching then
    return
  end
  watching = true
  local group = vim.api.nvim_create_augroup('brummer.follow', {})
  local function on(event, pattern, fn)
    vim.api.nvim_create_autocmd(event, {
      group = group,
      pattern = pattern,
      desc = 'brummer: follow',
      callback = fn,
    })
  end
  on('CursorMoved', 'brummer://logs*', function()
    M.look(vim.api.nvim_get_current_win())
  end)
  on('WinNew', '*', inherit)
  on({ 'WinResized', 'VimResized', 'TabEnter' }, '*', settle)
  on('OptionSet', 'cmdheight', vim.schedule_wrap(settle))
  on('WinClosed', '*', function(args)
    entries[tonumber(args.match)] = nil
  end)
end

return M
