--- Lists that are drawn: a row changes in place, and neither the cursor nor the window moves.
local view_of = require('brummer.ui.view')

local M = {}

---@alias brummer.RowMark { [1]: integer, [2]: integer, [3]: string } first and last byte, group

---@class brummer.DrawnView: brummer.View
---@field shown table<integer, string> text of each row, to leave alone what did not change
---@field keys? string[] what the rows below the header are about

--- Cells a row may take: those of the narrowest window.
---@param view brummer.View
---@return integer
function M.width(view)
  local width = 80
  for i, win in ipairs(vim.fn.win_findbuf(view.buf)) do
    local here = vim.api.nvim_win_get_width(win) - vim.fn.getwininfo(win)[1].textoff
    width = i == 1 and here or math.min(width, here)
  end
  return width
end

--- Replaces the text of one row. Neovim would forget the user's marks in it.
---@param buf integer
---@param index integer
---@param line string
local function replace(buf, index, line)
  local kept = vim.tbl_filter(function(mark)
    return mark.pos[2] == index + 1 and mark.mark:find("^'%l$") ~= nil
  end, vim.fn.getmarklist(buf))
  local old = vim.api.nvim_buf_get_lines(buf, index, index + 1, false)[1]
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_text(buf, index, 0, index, #old, { line })
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
  for _, mark in ipairs(kept) do
    local col = math.min(mark.pos[3] - 1, math.max(#line - 1, 0))
    vim.api.nvim_buf_set_mark(buf, mark.mark:sub(2), index + 1, col, {})
  end
end

--- Makes one row say so.
---@param view brummer.DrawnView
---@param ns integer
---@param index integer 0-based row of the buffer
---@param line string
---@param marks brummer.RowMark[]
function M.put(view, ns, index, line, marks)
  if view.shown[index] == line then
    return
  end
  local there = view.shown[index] ~= nil
  view.shown[index] = line
  vim.api.nvim_buf_clear_namespace(view.buf, ns, index, index + 1)
  if there then
    replace(view.buf, index, line)
  else
    local count = vim.api.nvim_buf_line_count(view.buf)
    view_of.write(view.buf, index, index < count and index + 1 or index, { line })
  end
  for _, mark in ipairs(marks) do
    vim.api.nvim_buf_set_extmark(view.buf, ns, index, math.min(mark[1], #line), {
      end_col = math.min(mark[2], #line),
      hl_group = mark[3],
    })
  end
end

--- Inserts and takes away rows below a header, so that those that stay keep their cursors and marks.
---@param view brummer.DrawnView
---@param ns integer
---@param header integer rows above
---@param keys string[] what each row is about, in order
function M.align(view, ns, header, keys)
  local old = view.keys or {}
  view.keys = keys
  local head = 0
  while head < math.min(#old, #keys) and old[head + 1] == keys[head + 1] do
    head = head + 1
  end
  local tail = 0
  while tail < math.min(#old, #keys) - head and old[#old - tail] == keys[#keys - tail] do
    tail = tail + 1
  end
  local gone, come = #old - head - tail, #keys - head - tail
  if tail == 0 or gone == 0 and come == 0 then
    -- At the end rows are put and cut without moving others.
    return
  end
  local at = header + head
  vim.api.nvim_buf_clear_namespace(view.buf, ns, at, at + gone)
  local blank = {} ---@type string[]
  for i = 1, come do
    blank[i] = ''
  end
  view_of.write(view.buf, at, at + gone, blank)
  local shown = {} ---@type table<integer, string>
  for index, line in pairs(view.shown) do
    if index < at then
      shown[index] = line
    elseif index >= at + gone then
      shown[index + come - gone] = line
    end
  end
  for i = 0, come - 1 do
    shown[at + i] = ''
  end
  view.shown = shown
end

--- Takes away what stands below the first `count` rows.
---@param view brummer.DrawnView
---@param ns integer
---@param count integer
function M.cut(view, ns, count)
  if vim.api.nvim_buf_line_count(view.buf) > count then
    -- Before the text: the marks of a line that is deleted stay behind.
    vim.api.nvim_buf_clear_namespace(view.buf, ns, count, -1)
    view_of.write(view.buf, count, -1, {})
    for index in pairs(view.shown) do
      view.shown[index] = index < count and view.shown[index] or nil
    end
  end
end

--- Draws by `fn`; every window shows what it showed, its cursor where it was.
---@param view brummer.View
---@param fn fun()
function M.still(view, fn)
  local saved = {} ---@type table<integer, vim.fn.winsaveview.ret>
  for _, win in ipairs(vim.fn.win_findbuf(view.buf)) do
    saved[win] = vim.api.nvim_win_call(win, vim.fn.winsaveview)
  end
  fn()
  for win, old in pairs(saved) do
    vim.api.nvim_win_call(win, function()
      vim.fn.winrestview(old)
    end)
  end
end

--- Empties a view.
---@param view brummer.DrawnView
---@param ns integer
function M.clear(view, ns)
  view.shown, view.keys = {}, nil
  vim.api.nvim_buf_clear_namespace(view.buf, ns, 0, -1)
  view_of.write(view.buf, 0, -1, {})
end

--- Draws again and again while `draw` says that somebody can see it.
---@param ms integer
---@param draw fun(): boolean
---@return fun() tick draws now and from now on
function M.ticker(ms, draw)
  local timer ---@type uv.uv_timer_t?
  local function tick()
    local seen = draw()
    if not seen and timer then
      timer:stop()
      timer:close()
      timer = nil
    elseif seen and not timer then
      timer = assert(vim.uv.new_timer())
      timer:start(ms, ms, vim.schedule_wrap(tick))
    end
  end
  return tick
end

return M
