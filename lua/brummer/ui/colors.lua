--- Colours of a log. Marks for every coloured word of a flood cost more than its text, so the spans are
--- kept as they came and only the lines on screen are coloured, while they are drawn.
local highlight = require('brummer.highlight')
local repeats = require('brummer.ui.repeats')
local view_of = require('brummer.ui.view')

local M = {}

local ns = vim.api.nvim_create_namespace('brummer.spans')

---@class (exact) brummer.Spans
---@field at integer rank of the first line
---@field stop integer rank after the last
---@field zero integer rank of row 0 of the patch
---@field flat integer[] row, start, end, style, …
---@field index? table<integer, integer> row -> its first entry, made when first drawn

---@type table<integer, brummer.Style> styles by number, as the host of this session defined them
local session = {}
---@type table<brummer.Style, integer> groups of the styles in use
local groups = setmetatable({}, { __mode = 'k' })

--- Learns styles.
---@param view brummer.LogView
---@param styles table[]?
function M.learn(view, styles)
  for _, style in ipairs(styles or {}) do
    view.styles[style.style], session[style.style] = style, style
  end
end

--- Forgets the styles: another host numbers them anew.
function M.reset()
  session = {}
end

--- Keeps the spans of the lines `from + 1 … to` of a patch whose row 0 has that rank.
---@param view brummer.LogView
---@param flat integer[]?
---@param from integer
---@param to integer
---@param zero integer
function M.push(view, flat, from, to, zero)
  local list, base = view.spans, view.lines.base
  local gone = 0
  while list[gone + 1] and list[gone + 1].stop <= base do
    gone = gone + 1
  end
  if gone > 0 then
    list = vim.list_slice(list, gone + 1)
    view.spans = list
  end
  if flat and #flat > 0 then
    list[#list + 1] = { at = zero + from, stop = zero + to, zero = zero, flat = flat }
  end
end

--- Keeps the spans of lines that were put in front of the line of that rank.
---@param view brummer.LogView
---@param flat integer[]?
---@param from integer
---@param to integer
---@param rank integer
function M.insert(view, flat, from, to, rank)
  local n, list = to - from, {} ---@type integer, brummer.Spans[]
  for _, chunk in ipairs(view.spans) do
    if chunk.at < rank then
      local stop = math.min(chunk.stop, rank)
      list[#list + 1] =
        { at = chunk.at, stop = stop, zero = chunk.zero, flat = chunk.flat, index = chunk.index }
    end
  end
  if flat and #flat > 0 then
    list[#list + 1] = { at = rank, stop = rank + n, zero = rank - from, flat = flat }
  end
  for _, chunk in ipairs(view.spans) do
    if chunk.stop > rank then
      local at, zero = math.max(chunk.at, rank) + n, chunk.zero + n
      list[#list + 1] =
        { at = at, stop = chunk.stop + n, zero = zero, flat = chunk.flat, index = chunk.index }
    end
  end
  view.spans = list
end

---@param list brummer.Spans[]
---@param rank integer
---@return brummer.Spans?
local function find(list, rank)
  local chunk = list[require('brummer.ui.lines').search(list, rank)]
  return chunk and rank < chunk.stop and chunk or nil
end

---@param chunk brummer.Spans
---@return table<integer, integer>
local function index(chunk)
  local rows = {}
  for i = #chunk.flat - 3, 1, -4 do
    rows[chunk.flat[i]] = i
  end
  chunk.index = rows
  return rows
end

---@param view brummer.LogView
---@param number integer
---@return integer
local function group(view, number)
  local style = view.styles[number] or session[number]
  if not style then
    return 0
  end
  groups[style] = groups[style] or highlight.id(style)
  return groups[style]
end

local opts =
  { ephemeral = true, strict = false, priority = 100, hl_group = 0, end_row = 0, end_col = 0 }

---@param buf integer
---@param row integer
local function draw_line(_, _, buf, row)
  local view = view_of.get(buf) --[[@as brummer.LogView]]
  repeats.draw(buf, ns, row)
  local rank = view.lines.base + row
  local chunk = find(view.spans, rank)
  if not chunk then
    return
  end
  local flat, want = chunk.flat, rank - chunk.zero
  local i = (chunk.index or index(chunk))[want]
  while i and flat[i] == want do
    opts.hl_group, opts.end_row, opts.end_col = group(view, flat[i + 3]), row, flat[i + 2]
    vim.api.nvim_buf_set_extmark(buf, ns, row, flat[i + 1], opts)
    i = i + 4
  end
end

--- Sets the provider, once.
function M.setup()
  vim.api.nvim_set_decoration_provider(ns, {
    on_win = function(_, _, buf, top, bottom)
      local view = view_of.get(buf) --[[@as brummer.LogView?]]
      if not view or view.kind ~= 'logs' then
        return false
      end
      repeats.look(view, top, bottom)
    end,
    on_line = draw_line,
  })
end

return M
