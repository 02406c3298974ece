--- The list of processes: `brummer://`, the dashboard, and `brummer://processes`.
local config = require('brummer.config')
local rows_of = require('brummer.ui.rows')
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

---@class brummer.ListView: brummer.DrawnView
---@field ids integer[] process of each row below the header
---@field health? integer line that tells of the host's health, while something is wrong with it

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
---@param index integer 0-based row of the buffer
---@param line string
---@param marks brummer.RowMark[]
local function put(view, index, line, marks)
  rows_of.put(view, ns, index, line, marks)
end

---@param view brummer.ListView
local function header(view)
  local counts = state.counts()
  local parts = { (' brummer  %d running'):format(counts.running) }
  if counts.failed > 0 then
    parts[#parts + 1] = ('%d failed'):format(counts.failed)
  end
  local left = table.concat(parts, ' · ')
  local gap = math.max(rows_of.width(view) - vim.fn.strdisplaywidth(left) - 8, 2)
  put(view, 0, left .. (' '):rep(gap) .. 'g? help', { { 0, 8, 'BrummerTitle' } })
  put(view, 1, ' ▾ Processes', { { 0, 32, 'BrummerTitle' } })
end

---@param view brummer.ListView
local function fill(view)
  header(view)
  local rows = state.rows()
  local wide = { name = 4, project = 0, width = rows_of.width(view) }
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
  local trouble = state.trouble()
  view.health = trouble and last + 1 or nil
  if trouble then
    local line = text.fit(' ▸ Health: ' .. trouble, wide.width)
    put(view, last, line, { { 0, #line, 'BrummerHealthWarning' } })
  end
  rows_of.cut(view, ns, last + (trouble and 1 or 0))
end

--- Draws what changed. The cursor stays on its row.
---@param view brummer.ListView
function M.draw(view)
  if #vim.fn.win_findbuf(view.buf) > 0 then
    rows_of.still(view, function()
      fill(view)
    end)
  end
end

local draw_all = rows_of.ticker(TICK_MS, function()
  local any = false
  for _, view in ipairs(view_of.all('processes')) do
    any = any or #vim.fn.win_findbuf(view.buf) > 0
    M.draw(view --[[@as brummer.ListView]])
  end
  return any
end)

local watching = false

---@param view brummer.ListView
function M.open(view)
  require('brummer.highlight').setup()
  view.ids = {}
  rows_of.clear(view, ns)
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

--- Whether a line leads to |brummer-health|.
---@param view brummer.View
---@param lnum integer
---@return boolean
function M.leads_to_health(view, lnum)
  return (view --[[@as brummer.ListView]]).health == lnum
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
