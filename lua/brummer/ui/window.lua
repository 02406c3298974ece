--- Where views are opened: one reusable log window at the bottom of a tab page, or as asked.
local config = require('brummer.config')

local M = {}

---@class brummer.OpenOpts
---@field stay? boolean leave the cursor where it is
---@field count? integer height or width
---@field smods? table modifiers of the command
---@field how? string instead of the option `open`

--- Height of the log window: a third of the screen, 8 to 15 lines.
---@return integer
function M.height()
  return math.min(math.max(math.floor(vim.o.lines / 3), 8), 15)
end

---@param win integer
---@return boolean
function M.floating(win)
  return vim.api.nvim_win_get_config(win).relative ~= ''
end

---@param buf integer
---@param size? integer
---@return integer
local function float(buf, size)
  local width = math.floor(vim.o.columns * 0.9)
  local height = size or math.floor(vim.o.lines * 0.8)
  return vim.api.nvim_open_win(buf, false, {
    relative = 'editor',
    width = width,
    height = height,
    col = math.floor((vim.o.columns - width) / 2),
    row = math.max(math.floor((vim.o.lines - height) / 2) - 1, 0),
    border = 'rounded',
    title = ' brummer ',
  })
end

---@param buf integer
---@param how string
---@param size? integer
---@return integer win
local function create(buf, how, size)
  if how == 'tab' then
    local back = vim.api.nvim_get_current_tabpage()
    vim.cmd('tab split')
    local win = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(win, buf)
    vim.api.nvim_set_current_tabpage(back)
    return win
  elseif how == 'float' then
    return float(buf, size)
  elseif how == 'vsplit' then
    return vim.api.nvim_open_win(buf, false, { split = 'right', win = -1, width = size })
  elseif how == 'above' or how == 'left' then
    return vim.api.nvim_open_win(buf, false, {
      split = how,
      win = -1,
      height = how == 'above' and (size or M.height()) or nil,
      width = how == 'left' and size or nil,
    })
  end
  local win =
    vim.api.nvim_open_win(buf, false, { split = 'below', win = -1, height = size or M.height() })
  vim.wo[win][0].winfixheight = true
  return win
end

--- How the command's modifiers ask for the window; nil when they do not.
---@param smods? table
---@return string?
local function asked(smods)
  if not smods then
    return
  elseif smods.tab and smods.tab >= 0 then
    return 'tab'
  elseif smods.vertical then
    return (smods.split == 'topleft' or smods.split == 'aboveleft') and 'left' or 'vsplit'
  elseif smods.split == 'topleft' or smods.split == 'aboveleft' then
    return 'above'
  elseif smods.split and smods.split ~= '' then
    return 'split'
  end
end

---@param buf integer
---@return integer? win that shows the buffer in this tab page
local function showing(buf)
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.api.nvim_win_get_buf(win) == buf then
      return win
    end
  end
end

---@return integer? win the one window of this tab page that views take turns in
local function reusable()
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    local buf = vim.api.nvim_win_get_buf(win)
    local view = require('brummer.ui.view').get(buf) or require('brummer.ui.terminal').get(buf)
    if vim.w[win].brummer_log and view then
      return win
    end
  end
end

--- Whether a window shares its column with others. One that does not cannot be made lower: asking
--- for it would make the command line higher.
---@param win integer
---@return boolean
local function stacked(win)
  local function find(node, column)
    if node[1] == 'leaf' then
      return node[2] == win and column
    end
    return vim.iter(node[2]):any(function(child)
      return find(child, column or node[1] == 'col')
    end)
  end
  return find(vim.fn.winlayout(), false)
end

--- Makes the windows of views in a restored session the ones that are used again.
function M.adopt()
  for _, win in ipairs(vim.api.nvim_list_wins()) do
    local view = require('brummer.ui.view').get(vim.api.nvim_win_get_buf(win))
    if view and not M.floating(win) then
      vim.w[win].brummer_log = true
    end
  end
end

--- Shows a view and returns its window.
---@param buf integer
---@param opts? brummer.OpenOpts
---@return integer win
function M.open(buf, opts)
  opts = opts or {}
  require('brummer.windows').watch()
  local size = opts.count and opts.count > 0 and opts.count or nil
  local want = asked(opts.smods) or opts.how
  local win = not (want == 'tab') and showing(buf) or nil
  local view = require('brummer.ui.view').get(buf)
  if view and not win then
    -- A log that is opened follows, wherever it was left.
    view.following = true
  end
  if not win and not want then
    win = reusable()
    if win then
      vim.api.nvim_win_set_buf(win, buf)
    end
  end
  if win and size and not M.floating(win) and stacked(win) then
    vim.api.nvim_win_set_height(win, size)
  end
  if not win then
    local how = want or config.get().open
    if type(how) == 'function' then
      local ok, made = pcall(how, buf)
      if ok and type(made) == 'number' and vim.api.nvim_win_is_valid(made) then
        win = made
      elseif ok and showing(buf) then
        win = showing(buf)
      else
        require('brummer.notify').error(
          "option 'open' gave no window" .. (ok and '' or ': ' .. tostring(made))
        )
        how = 'split'
      end
    end
    if not win then
      if how == 'current' then
        win = vim.api.nvim_get_current_win()
        vim.api.nvim_win_set_buf(win, buf)
      else
        win = create(buf, how --[[@as string]], size)
        vim.w[win].brummer_log = how ~= 'tab' and true or nil
      end
    end
  end
  if not opts.stay then
    vim.api.nvim_set_current_win(win)
  end
  return win
end

--- Closes a window, also the last one.
---@param win integer
function M.close(win)
  local here = vim.api.nvim_win_get_tabpage(win)
  local others = vim.tbl_filter(function(other)
    return other ~= win and not M.floating(other)
  end, vim.api.nvim_tabpage_list_wins(here))
  if #others > 0 or M.floating(win) or #vim.api.nvim_list_tabpages() > 1 then
    pcall(vim.api.nvim_win_close, win, false)
    return
  end
  local alt = vim.fn.bufnr('#')
  if alt > 0 and vim.bo[alt].buflisted and alt ~= vim.api.nvim_win_get_buf(win) then
    vim.api.nvim_win_set_buf(win, alt)
  else
    vim.api.nvim_win_set_buf(win, vim.api.nvim_create_buf(true, false))
  end
end

--- Lines as a window of that width shows them whole, broken between words. 'linebreak' would break `.brum.|toml`.
---@param lines string[]
---@param width integer
---@return string[]
local function broken(lines, width)
  local text, out = require('brummer.text'), {}
  for _, line in ipairs(lines) do
    local indent = line:match('^%s*')
    if vim.fn.strdisplaywidth(line) <= width then
      out[#out + 1] = line
    else
      local rest = text.wrap(line, math.max(width - #indent - 2, 10))
      out[#out + 1] = indent .. rest[1]
      for i = 2, #rest do
        out[#out + 1] = indent .. '  ' .. rest[i]
      end
    end
  end
  return out
end

--- Lines in a small window that goes at the next movement.
---@param lines string[]
---@param title string
---@param syntax? string
---@param whole? boolean long lines stay one line each, to be yanked
function M.popup(lines, title, syntax, whole)
  local width = 20
  for _, line in ipairs(lines) do
    -- More than a screen is not measured: a line may have a million bytes.
    width = math.max(width, vim.fn.strdisplaywidth(line:sub(1, 4 * vim.o.columns)) + 1)
  end
  width = math.min(width, vim.o.columns - 2)
  local rows = 0
  lines = whole and lines or broken(lines, width)
  for _, line in ipairs(lines) do
    rows = rows + math.max(math.ceil(#line:sub(1, width * vim.o.lines) / width), 1)
  end
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].modifiable = false
  -- Not the file type: what plugins do to files of that type is not for this.
  vim.bo[buf].syntax = syntax or ''
  local height = math.max(math.min(whole and rows or #lines, vim.o.lines - 6), 1)
  local win = vim.api.nvim_open_win(buf, true, {
    relative = 'editor',
    width = width,
    height = height,
    row = math.max(math.floor((vim.o.lines - height) / 2) - 1, 0),
    col = math.floor((vim.o.columns - width) / 2),
    style = 'minimal',
    border = 'rounded',
    title = ' ' .. title .. ' ',
  })
  vim.wo[win][0].wrap = whole or false
  for _, lhs in ipairs({ 'q', '<CR>', 'g?' }) do
    vim.keymap.set('n', lhs, function()
      pcall(vim.api.nvim_win_close, win, true)
    end, { buffer = buf, nowait = true, desc = 'brummer: close' })
  end
  vim.api.nvim_create_autocmd('WinLeave', {
    buffer = buf,
    once = true,
    callback = vim.schedule_wrap(function()
      pcall(vim.api.nvim_win_close, win, true)
      -- A float has no status line: its ruler would stay in the message line.
      vim.api.nvim_echo({ { '' } }, false, {})
    end),
  })
end

return M
