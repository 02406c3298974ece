--- The list of processes: `brummer://`, the dashboard, and `brummer://processes`.
local config = require('brummer.config')
local state = require('brummer.state')
local text = require('brummer.text')
local view_of = require('brummer.ui.view')

local M = {}

local ns = vim.api.nvim_create_namespace('brummer.processes')

-- Uptimes are relative: drawn again while somebody can see them.
local TICK_MS = 10000
local HEADER = 2

local GROUP = {
  running = 'BrummerRunning',
  pending = 'BrummerPending',
  success = 'BrummerSuccess',
  failed = 'BrummerFailed',
  stopped = 'BrummerStopped',
}

---@class brummer.ListView: brummer.View
---@field ids integer[] process of each row below the header
---@field shown string[] text of each row, to leave alone what did not change

---@param row brummer.Row
---@return string
local function status(row)
  if row.state == 'running' then
    local since = row.started_at and (os.time() * 1000 - row.started_at)
    return since and 'up ' .. text.duration(math.max(since, 1000)) or 'running'
  elseif row.state == 'pending' then
    return row.reason or 'starting'
  end
  local words = { state.ending(row) }
  if row.started_at and row.ended_at and row.state ~= 'stopped' then
    words[2] = text.duration(math.max(row.ended_at - row.started_at, 0))
  end
  return table.concat(words, ' · ')
end

--- What tells the projects of the list apart.
---@param row brummer.Row
---@return string
function M.project(row)
  return vim.fs.basename(row.root)
end

--- Columns of a row from the left; those with a rank leave when there is no room, highest first.
---@param row brummer.Row
---@param wide { name: integer, project: integer }
---@return { [1]: string, [2]: integer, [3]: string, leave?: integer }[]
local function columns(row, wide)
  local errors = row.errors > 0 and text.plural(row.errors, 'error') or ''
  -- The number of a process that has ended may be that of another by now.
  local pid = row.pid and state.alive(row) and ('pid %d'):format(row.pid) or ''
  local list = {
    { config.icon(row.state), 1, GROUP[row.state] },
    { row.name, wide.name, 'BrummerName' },
    { status(row), 18, GROUP[row.state] },
    { errors, 10, 'BrummerErrorCount' },
    { pid, 11, 'BrummerCommand', leave = 2 },
    { row.script ~= '' and row.script or row.command, 0, 'BrummerCommand', leave = 1 },
  }
  if wide.project > 0 then
    table.insert(list, 3, { M.project(row), wide.project, 'BrummerCommand' })
  end
  return list
end

--- One row as text and the highlights in it.
---@param row brummer.Row
---@param wide { name: integer, project: integer, width: integer }
---@return string line
---@return { [1]: integer, [2]: integer, [3]: string }[] marks
function M.render(row, wide)
  local cols = columns(row, wide)
  local function width()
    local sum = 3
    for _, col in ipairs(cols) do
      sum = sum + (col[2] > 0 and col[2] + 2 or 12)
    end
    return sum
  end
  while width() > wide.width and cols[#cols].leave do
    cols[#cols] = nil
  end
  local line, marks, cells = '   ', {}, 3
  for i, col in ipairs(cols) do
    local room = col[2] > 0 and col[2] or wide.width - cells
    local piece = text.pad(col[1], room)
    marks[#marks + 1] = { #line, #line + #piece, col[3] }
    line = line .. piece .. (i < #cols and (i == 1 and ' ' or '  ') or '')
    cells = cells + room + (i == 1 and 1 or 2)
  end
  return (line:gsub('%s+$', '')), marks
end

---@param view brummer.ListView
---@return integer
local function width_of(view)
  local width = 80
  for i, win in ipairs(vim.fn.win_findbuf(view.buf)) do
    local here = vim.api.nvim_win_get_width(win) - vim.fn.getwininfo(win)[1].textoff
    width = i == 1 and here or math.min(width, here)
  end
  return width
end

---@param view brummer.ListView
---@param index integer 0-based row of the buffer
---@param line string
---@param marks { [1]: integer, [2]: integer, [3]: string }[]
local function put(view, index, line, marks)
  if view.shown[index] == line then
    return
  end
  local there = view.shown[index] ~= nil
  view.shown[index] = line
  vim.api.nvim_buf_clear_namespace(view.buf, ns, index, index + 1)
  if there then
    -- The cells that changed, not the line: the cursor keeps its place.
    vim.bo[view.buf].modifiable = true
    local old = vim.api.nvim_buf_get_lines(view.buf, index, index + 1, false)[1]
    vim.api.nvim_buf_set_text(view.buf, index, 0, index, #old, { line })
    vim.bo[view.buf].modifiable = false
    vim.bo[view.buf].modified = false
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

---@param view brummer.ListView
local function header(view)
  local counts = state.counts()
  local parts = { (' brummer  %d running'):format(counts.running) }
  if counts.failed > 0 then
    parts[#parts + 1] = ('%d failed'):format(counts.failed)
  end
  local left = table.concat(parts, ' · ')
  local gap = math.max(width_of(view) - vim.fn.strdisplaywidth(left) - 8, 2)
  put(view, 0, left .. (' '):rep(gap) .. 'g? help', { { 0, 8, 'BrummerTitle' } })
  put(view, 1, ' ▾ Processes', { { 0, 32, 'BrummerTitle' } })
end

--- Draws what changed. The cursor stays on its row.
---@param view brummer.ListView
function M.draw(view)
  if #vim.fn.win_findbuf(view.buf) == 0 then
    return
  end
  local saved = {} ---@type table<integer, vim.fn.winsaveview.ret>
  for _, win in ipairs(vim.fn.win_findbuf(view.buf)) do
    saved[win] = vim.api.nvim_win_call(win, vim.fn.winsaveview)
  end
  header(view)
  local rows = state.rows()
  local wide = { name = 4, project = 0, width = width_of(view) }
  for _, row in ipairs(rows) do
    wide.name = math.min(math.max(wide.name, vim.fn.strdisplaywidth(row.name)), 24)
    if row.root ~= rows[1].root then
      wide.project = 1
    end
  end
  -- Two scripts of one name are no riddle when the list has more than one project.
  for _, row in ipairs(wide.project > 0 and rows or {}) do
    wide.project = math.min(math.max(wide.project, vim.fn.strdisplaywidth(M.project(row))), 12)
  end
  view.ids = {}
  for i, row in ipairs(rows) do
    view.ids[i] = row.id
    put(view, HEADER + i - 1, M.render(row, wide))
  end
  if #rows == 0 then
    put(view, HEADER, '   nothing was run yet: a runs a script', { { 0, 64, 'BrummerGap' } })
  end
  local last = HEADER + math.max(#rows, 1)
  if vim.api.nvim_buf_line_count(view.buf) > last then
    view_of.write(view.buf, last, -1, {})
    for index in pairs(view.shown) do
      view.shown[index] = index < last and view.shown[index] or nil
    end
  end
  for win, old in pairs(saved) do
    vim.api.nvim_win_call(win, function()
      vim.fn.winrestview(old)
    end)
  end
end

---@type uv.uv_timer_t?
local timer

local function draw_all()
  local any = false
  for _, view in ipairs(view_of.all('processes')) do
    any = any or #vim.fn.win_findbuf(view.buf) > 0
    M.draw(view --[[@as brummer.ListView]])
  end
  if not any and timer then
    timer:stop()
    timer:close()
    timer = nil
  elseif any and not timer then
    timer = assert(vim.uv.new_timer())
    timer:start(TICK_MS, TICK_MS, vim.schedule_wrap(draw_all))
  end
end

local watching = false

---@param view brummer.ListView
function M.open(view)
  require('brummer.highlight').setup()
  view.ids, view.shown = {}, {}
  vim.api.nvim_buf_clear_namespace(view.buf, ns, 0, -1)
  view_of.write(view.buf, 0, -1, {})
  if not watching then
    watching = true
    state.subscribe(draw_all)
    vim.api.nvim_create_autocmd({ 'WinResized', 'VimResized' }, {
      group = vim.api.nvim_create_augroup('brummer.processes', {}),
      desc = 'brummer: lay the list out again',
      callback = draw_all,
    })
  end
end

---@param _ brummer.ListView
function M.close(_) end

---@param win integer
---@param view brummer.ListView
function M.style(win, view)
  local wo = vim.wo[win][0]
  wo.wrap = false
  wo.cursorline = true
  wo.signcolumn = 'no'
  -- Keys act on a process: the cursor starts on the first.
  M.draw(view)
  if vim.api.nvim_win_get_cursor(win)[1] == 1 then
    vim.api.nvim_win_set_cursor(win, { HEADER + 1, 0 })
  end
end

function M.hiding() end

---@param _ brummer.ListView
function M.shown(_)
  draw_all()
end

--- The process in a line of the list.
---@param view brummer.View
---@param lnum integer
---@return brummer.Row?
function M.row_at(view, lnum)
  local list = view --[[@as brummer.ListView]]
  return state.get(list.ids[lnum - HEADER] or 0)
end

--- Opens the log of the line.
---@param view brummer.View
---@param lnum integer
---@param how brummer.How
function M.go(view, lnum, how)
  local row = assert(M.row_at(view, lnum))
  local as = { split = 'split', vsplit = 'vsplit', tab = 'tab' }
  require('brummer.scripts').open_log(
    row.root,
    row.name,
    { stay = how == 'preview', how = as[how] }
  )
end

return M
