--- The list of processes: `brummer://`, the dashboard, and `brummer://processes`.
local columns = require('brummer.ui.columns')
local config = require('brummer.config')
local row_of = require('brummer.ui.process_row')
local rows_of = require('brummer.ui.rows')
local state = require('brummer.state')
local text = require('brummer.text')
local view_of = require('brummer.ui.view')

local M = {}

local ns = vim.api.nvim_create_namespace('brummer.processes')

-- Uptimes are relative: drawn again while somebody can see them.
local TICK_MS = 10000
local HEADER = 2

---@class brummer.ListView: brummer.DrawnView
---@field ids table<integer, integer> process of each line
---@field health? integer line that tells of the host's health, while something is wrong with it

---@param view brummer.ListView
---@param index integer 0-based row of the buffer
---@param line string
---@param marks brummer.RowMark[]
local function put(view, index, line, marks)
  rows_of.put(view, ns, index, line, marks)
end

---@param view brummer.ListView
---@param rows brummer.Row[]
local function header(view, rows)
  local count = { running = 0, pending = 0, failed = 0 }
  for _, row in ipairs(rows) do
    -- What another Neovim runs is shown, and is not one's own.
    count[row.state] = (count[row.state] or 0) + (row.elsewhere and 0 or 1)
  end
  local parts = {
    ('%d running'):format(count.running),
    columns.some(count.pending, 'waiting') or '',
    columns.some(count.failed, 'failed') or '',
  }
  local one = rows[1] and vim.iter(rows):all(function(row)
    return row.root == rows[1].root
  end)
  if one then
    table.insert(parts, 1, row_of.project(rows[1]))
  end
  local left = text.fit(' brummer  ' .. columns.join(parts), rows_of.width(view))
  local gap = rows_of.width(view) - vim.fn.strdisplaywidth(left) - 8
  local help = gap >= 2 and (' '):rep(gap) .. 'g? help' or ''
  put(view, 0, left .. help, { { 0, 8, 'BrummerTitle' } })
  local title = (' %s Processes'):format(config.icon('open'))
  put(view, 1, title, { { 0, #title, 'BrummerTitle' } })
end

--- The lines below the header: key, process, text, marks.
---@param rows brummer.Row[]
---@param width integer
---@return { key: string, id?: integer, line: string, marks: brummer.RowMark[] }[]
local function lines_of(rows, width)
  local layout, out = row_of.layout(rows, width), {}
  local indent = (' '):rep(3 + layout.icon + 3)
  for _, row in ipairs(rows) do
    local line, marks = row_of.render(row, layout)
    out[#out + 1] = { key = tostring(row.id), id = row.id, line = line, marks = marks }
    for _, one in ipairs(row_of.below(row)) do
      local said = text.fit(indent .. one[2], width)
      out[#out + 1] = {
        key = row.id .. one[1],
        id = row.id,
        line = said,
        marks = { { #indent, #said, one[3] } },
      }
    end
  end
  if #rows == 0 then
    local line = '   nothing was run yet: a runs a script'
    out[1] = { key = 'none', line = line, marks = { { 0, #line, 'BrummerGap' } } }
  end
  return out
end

---@param view brummer.ListView
---@param rows brummer.Row[]
---@param lines { key: string, id?: integer, line: string, marks: brummer.RowMark[] }[]
local function fill(view, rows, lines)
  header(view, rows)
  view.ids = {}
  for i, it in ipairs(lines) do
    view.ids[HEADER + i] = it.id
    put(view, HEADER + i - 1, it.line, it.marks)
  end
  local last = HEADER + #lines
  local trouble = require('brummer.news').trouble()
  view.health = trouble and last + 1 or nil
  if trouble then
    local line = text.fit((' %s Health: '):format(config.icon('closed')) .. trouble, rows_of.width(view))
    put(view, last, line, { { 0, #line, 'BrummerHealthWarning' } })
  end
  rows_of.cut(view, ns, last + (trouble and 1 or 0))
end

--- Draws what changed. The cursor stays on its row.
---@param view brummer.ListView
function M.draw(view)
  if #vim.fn.win_findbuf(view.buf) > 0 then
    local rows = state.rows()
    local lines = lines_of(rows, rows_of.width(view))
    local keys = vim.tbl_map(function(it)
      return it.key
    end, lines)
    rows_of.align(view, ns, HEADER, keys)
    rows_of.still(view, function()
      fill(view, rows, lines)
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
  return state.get(list.ids[lnum] or 0)
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
