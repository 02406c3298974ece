--- Rows made of columns: text, and where which group colours it. Pure.
local config = require('brummer.config')
local text = require('brummer.text')

local M = {}

---@alias brummer.ReportRow { [1]: string, [2]: brummer.RowMark[] }

--- A row of columns; each has a text, a width (0: as long as it is, below 0: at the right end) and perhaps a group.
---@param cols { [1]: string, [2]: integer, [3]?: string }[]
---@return brummer.ReportRow
function M.row(cols)
  local line, marks = '  ', {}
  for _, col in ipairs(cols) do
    local piece = col[1]
    if col[2] > 0 then
      piece = text.pad(piece, col[2])
    elseif col[2] < 0 then
      piece = (' '):rep(-col[2] - vim.fn.strdisplaywidth(piece)) .. piece
    end
    line = line .. ' '
    if col[3] then
      marks[#marks + 1] = { #line, #line + #piece, col[3] }
    end
    line = line .. piece
  end
  return { (line:gsub('%s+$', '')), marks }
end

--- Rows of a sentence that stands below something: the first begins with `mark`, the others below its end.
---@param mark string
---@param said string
---@param width integer
---@param group? string
---@return brummer.ReportRow[]
function M.said(mark, said, width, group)
  local indent = 5 + vim.fn.strdisplaywidth(mark)
  local rows = {}
  for i, line in ipairs(text.wrap(said, math.max(width - indent, 20))) do
    local start = i == 1 and '     ' .. mark or (' '):rep(indent)
    rows[i] = { start .. line, group and { { 5, #start + #line, group } } or {} }
  end
  return rows
end

--- The row above a section.
---@param title string
---@param caption? string what its numbers are
---@return brummer.ReportRow
function M.heading(title, caption)
  local line = (' %s %s'):format(config.icon('open'), title)
  local marks = { { 0, #line, 'BrummerTitle' } }
  if caption then
    marks[2] = { #line, #line + #caption + 3, 'BrummerCommand' }
    line = ('%s   %s'):format(line, caption)
  end
  return { line, marks }
end

--- What there is, parted by dots.
---@param parts (string|false|nil)[]
---@return string
function M.join(parts)
  return table.concat(
    vim.tbl_filter(function(part)
      return part and part ~= ''
    end, parts),
    (' %s '):format(config.icon('dot'))
  )
end

--- `12 dropped`, or nothing for none.
---@param n? integer
---@param word string
---@return string|false
function M.some(n, word)
  return (n or 0) > 0 and ('%s %s'):format(text.count(n), word)
end

--- A sorted copy, worst first; the rest keeps its order.
---@generic T: table
---@param list T[]
---@param how fun(item: T): integer
---@return T[]
function M.worst_first(list, how)
  local order = {}
  for i, item in ipairs(list) do
    order[i] = { item, how(item), i }
  end
  table.sort(order, function(a, b)
    return a[2] > b[2] or a[2] == b[2] and a[3] < b[3]
  end)
  return vim.tbl_map(function(entry)
    return entry[1]
  end, order)
end

return M
