--- Opening a place in a source file: which window, and what may go wrong on the way.
local windows = require('brummer.windows')

local M = {}

---@class brummer.Location
---@field file string absolute
---@field line integer
---@field col? integer 1-based byte
---@field message? string

---@alias brummer.How 'go'|'preview'|'split'|'vsplit'|'tab'

--- Shows a buffer in a window. A buffer that is not loaded goes by `:buffer`, because only that fires
--- SwapExists.
---@param win integer
---@param buf integer
---@return integer win
local function show(win, buf)
  if vim.api.nvim_buf_is_loaded(buf) then
    vim.api.nvim_win_set_buf(win, buf)
  else
    vim.api.nvim_win_call(win, function()
      vim.cmd.buffer({ buf, mods = { silent = true } })
    end)
  end
  return win
end

---@param buf integer
---@param config vim.api.keyset.win_config
---@return integer win
local function split(buf, config)
  local old = vim.api.nvim_win_get_buf(config.win)
  return show(vim.api.nvim_open_win(old, false, config), buf)
end

--- A split above the log that leaves the log its height.
---@param buf integer
---@param origin integer
---@return integer
local function above(buf, origin)
  local base = origin
  if windows.floating(base) then
    for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
      base = windows.floating(base) and not windows.floating(win) and win or base
    end
    return split(buf, { split = 'above', win = base })
  end
  local others = vim.tbl_filter(function(win)
    return win ~= base and not windows.floating(win)
  end, vim.api.nvim_tabpage_list_wins(0))
  local height = #others > 0 and vim.api.nvim_win_get_height(base)
    or require('brummer.ui.window').height()
  local win = split(buf, { split = 'above', win = base })
  vim.api.nvim_win_set_height(base, height)
  return win
end

--- Puts the buffer into a window by the rules of |brummer-jump|.
---@param buf integer
---@param file string
---@param how brummer.How
---@param origin integer
---@return integer win
---@return boolean made
---@return integer? old buffer that was in the window
local function place(buf, file, how, origin)
  local api = vim.api
  if how == 'tab' then
    vim.cmd('tab split')
    return show(api.nvim_get_current_win(), buf), true
  end
  local here = how ~= 'split' and how ~= 'vsplit'
  local win = here and windows.showing(file, api.nvim_tabpage_list_wins(0)) or nil
  if here and not win and windows.switchbuf('usetab') then
    win = windows.showing(file, api.nvim_list_wins())
  end
  if win then
    return win, false
  end
  local target = windows.last_used()
  if here and windows.switchbuf('newtab') then
    return place(buf, file, 'tab', origin)
  end
  local direction = (how == 'vsplit' or here and windows.switchbuf('vsplit')) and 'right'
    or (how == 'split' or here and windows.switchbuf('split')) and 'above'
  if target and direction then
    return split(buf, { split = direction, win = target }), true
  elseif not target or windows.loses_changes(target) then
    return above(buf, origin), true
  end
  local old = api.nvim_win_get_buf(target)
  api.nvim_win_call(target, function()
    vim.cmd.normal({ "m'", bang = true })
  end)
  return show(target, buf), false, old
end

---@param win integer
---@param loc brummer.Location
---@param same boolean the window showed the file before
local function settle(win, loc, same)
  vim.api.nvim_win_call(win, function()
    if same then
      vim.cmd.normal({ "m'", bang = true })
    end
    local last = vim.api.nvim_buf_line_count(0)
    local lnum = math.min(math.max(loc.line, 1), last)
    local text = vim.api.nvim_buf_get_lines(0, lnum - 1, lnum, false)[1] or ''
    local col = loc.col and loc.col - 1 or #(text:match('^%s*'))
    vim.api.nvim_win_set_cursor(0, { lnum, math.max(math.min(col, #text - 1), 0) })
    vim.cmd.normal({ 'zv', bang = true })
  end)
end

--- Calls `fn`; a swap file of another editor is refused instead of asked about.
---@param fn fun()
---@return string? problem
local function guarded(fn)
  local swap
  local id = vim.api.nvim_create_autocmd('SwapExists', {
    callback = function()
      if vim.v.swapchoice == '' then
        vim.v.swapchoice = 'q'
        swap = vim.v.swapname
      end
    end,
  })
  local ok, err = pcall(fn)
  vim.api.nvim_del_autocmd(id)
  if swap then
    return ('is open in another editor (swap file %s)'):format(vim.fn.fnamemodify(swap, ':t'))
  elseif not ok then
    -- The innermost cause: `Vim(buffer):Error … Autocommands for "*.ts": Vim(throw):mine`.
    return (tostring(err):gsub('\n.*', ''):gsub('^.*Vim%b():', ''):gsub('^.-%.lua:%d+: ', ''))
  end
end

---@param file string
---@return string?
local function unreadable(file)
  local stat = vim.uv.fs_stat(file)
  if not stat then
    return 'no such file'
  elseif stat.type ~= 'file' then
    return 'not a file'
  elseif not vim.uv.fs_access(file, 'R') then
    return 'cannot be read (permission denied)'
  end
end

--- Opens a place. On any problem there is one message and everything stays as it was.
---@param loc brummer.Location
---@param how? brummer.How
---@return boolean ok
function M.open(loc, how)
  windows.watch()
  how = how or 'go'
  local api = vim.api
  local origin, tab = api.nvim_get_current_win(), api.nvim_get_current_tabpage()
  -- `$` is part of a name here (`routes/$user.tsx`), never a variable.
  local file = vim.fs.normalize(loc.file, { expand_env = false })
  local known = vim.fn.bufexists(file) == 1
  local problem = unreadable(file)
  local buf, win, made, old
  if not problem then
    buf = vim.fn.bufadd(file)
    local before = {} ---@type table<integer, integer>
    for _, other in ipairs(api.nvim_list_wins()) do
      before[other] = api.nvim_win_get_buf(other)
    end
    problem = guarded(function()
      win, made, old = place(buf, file, how, origin)
      vim.bo[buf].buflisted = true
    end)
    if problem then
      for _, other in ipairs(api.nvim_list_wins()) do
        if not before[other] then
          pcall(api.nvim_win_close, other, true)
        elseif api.nvim_win_get_buf(other) ~= before[other] then
          pcall(api.nvim_win_set_buf, other, before[other])
        end
      end
      if not known and #vim.fn.win_findbuf(buf) == 0 then
        pcall(api.nvim_buf_delete, buf, { force = true })
      end
      if api.nvim_win_is_valid(origin) then
        api.nvim_set_current_win(origin)
      end
    end
  end
  if problem then
    local short = vim.fn.fnamemodify(file, ':~:.')
    require('brummer.notify').error(('%s: %s'):format(short, problem))
    return false
  end
  settle(win, loc, not made and not old)
  if how == 'preview' then
    if api.nvim_get_current_tabpage() ~= tab then
      api.nvim_set_current_tabpage(tab)
    end
    api.nvim_set_current_win(origin)
  else
    api.nvim_set_current_win(win)
  end
  require('brummer.errors').show_message(buf, win, loc.message)
  return true
end

return M
