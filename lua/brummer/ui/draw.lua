--- What a log shows beyond its text: colours, error signs, gaps, run rules, clipped lines.
local config = require('brummer.config')
local text = require('brummer.text')

local M = {}

local api = vim.api
local ns = {
  errors = api.nvim_create_namespace('brummer.log_errors'),
  warnings = api.nvim_create_namespace('brummer.log_warnings'),
  virtual = api.nvim_create_namespace('brummer.virtual'),
  gaps = api.nvim_create_namespace('brummer.gaps'),
  partial = api.nvim_create_namespace('brummer.partial'),
  runs = api.nvim_create_namespace('brummer.runs'),
  terminal = api.nvim_create_namespace('brummer.terminal'),
}
M.ns = ns

--- Removes what is drawn on the first `n` rows, or on all. Deleting a line would leave its marks
--- behind on row 0, so this comes before every cut.
---@param buf integer
---@param n? integer
function M.clear(buf, n)
  for _, id in pairs(ns) do
    api.nvim_buf_clear_namespace(buf, id, 0, n or -1)
  end
end

--- Says how long a clipped line is.
---@param buf integer
---@param patch brummer.LogPatch
---@param from integer
---@param to integer
---@param offset integer
function M.clipped(buf, patch, from, to, offset)
  local list = patch.clipped or {}
  for i = 1, #list, 2 do
    local row = list[i]
    if row >= from and row < to then
      -- Inline, because only that goes on in the next row.
      local note = (' … cut, the line has %s bytes'):format(text.count(list[i + 1]))
      api.nvim_buf_set_extmark(buf, ns.virtual, row + offset, #patch.lines[row + 1], {
        virt_text = { { note, 'BrummerClipped' } },
        virt_text_pos = 'inline',
      })
    end
  end
end

--- Says above a row that lines before it are not shown.
---@param buf integer
---@param row integer
---@param missing integer
function M.gap(buf, row, missing)
  local note = ('… %s not shown · gL loads them, g/ searches them …'):format(
    text.plural(missing, 'line')
  )
  api.nvim_buf_set_extmark(buf, ns.gaps, row, 0, {
    virt_lines = { { { note, 'BrummerGap' } } },
    virt_lines_above = true,
  })
end

--- Says no more that lines above a row are not shown.
---@param buf integer
---@param row integer
function M.no_gap(buf, row)
  api.nvim_buf_clear_namespace(buf, ns.gaps, row, row + 1)
end

--- The 0-based row that has left-out lines above it and is nearest to a row: that row, else the next one above, else
--- the next one below.
---@param buf integer
---@param row? integer any by default
---@return integer?
function M.gap_at(buf, row)
  local function first(from, to)
    local mark = api.nvim_buf_get_extmarks(buf, ns.gaps, from, to, { limit = 1 })[1]
    return mark and mark[2]
  end
  return row and first({ row, -1 }, 0) or first({ row or 0, 0 }, -1)
end

--- Shows below the last line what has been printed of the next one.
---@param view brummer.LogView
---@param row? brummer.Row
function M.partial(view, row)
  local shown = row and row.state == 'running' and row.prompt or nil
  local last = api.nvim_buf_line_count(view.buf) - 1
  if not shown and not view.partial then
    return
  end
  view.partial = api.nvim_buf_set_extmark(view.buf, ns.partial, last, 0, {
    id = view.partial,
    virt_lines = shown and { { { shown, 'BrummerPartial' } } } or {},
  })
  if not shown then
    api.nvim_buf_clear_namespace(view.buf, ns.partial, 0, -1)
    view.partial = nil
  else
    require('brummer.ui.follow').room_below(vim.fn.win_findbuf(view.buf))
  end
end

--- Signs of error headlines; they may stand on lines of an earlier patch.
---@param view brummer.LogView
---@param patch brummer.LogPatch
function M.marks(view, patch)
  local marks, ids = patch.marks or {}, patch.mark_ids
  for i = 1, #marks, 2 do
    local row = view.lines:row(marks[i], ids and ids[(i + 1) / 2])
    local error = marks[i + 1] == 1
    local space = error and ns.errors or ns.warnings
    if row and #api.nvim_buf_get_extmarks(view.buf, space, { row, 0 }, { row, 0 }, {}) == 0 then
      api.nvim_buf_set_extmark(view.buf, space, row, 0, {
        sign_text = config.icon(error and 'error' or 'warning'),
        sign_hl_group = error and 'BrummerErrorSign' or 'BrummerWarningSign',
        priority = error and 20 or 19,
      })
    end
  end
end

--- `── run 3 · 12:31:07 · exit 1 after 41 s ──`
---@param run { run: integer, at: integer, prev?: table }
---@param name? string process, in the merged log
---@return string
function M.rule(run, name)
  local parts = { ('run %d'):format(run.run), os.date('%H:%M:%S', math.floor(run.at / 1000)) }
  if name then
    table.insert(parts, 1, name)
  end
  if run.prev then
    local how = require('brummer.state').ending(run.prev)
    parts[#parts + 1] = ('%s after %s'):format(how, text.duration(run.prev.took or 0))
  end
  return ('── %s ──'):format(table.concat(parts, ' · '))
end

--- Rules above the first line of each run but the first. A run without a line yet waits for one.
---@param view brummer.LogView
---@param patch brummer.LogPatch
function M.runs(view, patch)
  local waiting = view.runs or {}
  vim.list_extend(waiting, patch.runs or {})
  view.runs = {}
  for _, run in ipairs(waiting) do
    local row = view.lines:row(run.seq, run.id)
    if row then
      local opts = {} ---@type vim.api.keyset.set_extmark
      if run.prev or run.run > 1 then
        local process = run.id and require('brummer.state').get(run.id)
        opts.virt_lines = { { { M.rule(run, process and process.name), 'BrummerRule' } } }
        opts.virt_lines_above = true
      end
      local there = api.nvim_buf_get_extmarks(view.buf, ns.runs, { row, 0 }, { row, 0 }, {})
      if #there == 0 or run.id and opts.virt_lines then
        api.nvim_buf_set_extmark(view.buf, ns.runs, row, 0, opts)
      end
    elseif run.seq > (view.lines.last[run.id or 0] or 0) then
      view.runs[#view.runs + 1] = run
    end
  end
end

--- Says once for each run, below what it had printed by then, that its program is no program of lines.
---@param view brummer.LogView
---@param row? brummer.Row
function M.full_screen(view, row)
  if not row or not row.full_screen or view.screen_run == row.run then
    return
  end
  view.screen_run = row.run
  local note = ('── %s draws on the screen or reads keys · :Brummer attach ──'):format(row.name)
  local last = api.nvim_buf_line_count(view.buf) - 1
  api.nvim_buf_set_extmark(view.buf, ns.terminal, last, 0, {
    virt_lines = { { { note, 'BrummerRule' } } },
  })
end

--- The row of the `count`-th mark of a namespace after (or before) a row.
---@param buf integer
---@param space integer
---@param row integer
---@param count integer negative: before
---@return integer? row
---@return boolean short fewer than that many were left
function M.seek(buf, space, row, count)
  local marks = api.nvim_buf_get_extmarks(
    buf,
    space,
    { row, 0 },
    count > 0 and -1 or 0,
    { limit = math.abs(count) + 1 }
  )
  local rows = {}
  for _, mark in ipairs(marks) do
    if mark[2] ~= row and mark[2] ~= rows[#rows] then
      rows[#rows + 1] = mark[2]
    end
  end
  local n = math.abs(count)
  return rows[math.min(n, #rows)], #rows < n
end

--- Number of error headlines held.
---@param buf integer
---@return integer
function M.errors(buf)
  return #api.nvim_buf_get_extmarks(buf, ns.errors, 0, -1, {})
end

return M
