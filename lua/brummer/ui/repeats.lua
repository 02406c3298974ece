--- `×12` behind the first of lines that are the same. The text stays as it was printed; only what is on screen is looked
--- at, while it is drawn.
local M = {}

local api = vim.api

-- Lines compared at a time when a stretch goes on below the window.
local STEP = 256

---@type table<integer, integer> rows of the window that is being drawn -> how often the line stands there
local found = {}

--- How often the line of a row stands there, one below the other, in what was printed without a gap.
---@param view brummer.LogView
---@param row integer
---@param line string
---@return integer
local function count(view, row, line)
  local known = view.repeats
  local rank, stop = view.lines.base + row, view.lines:stretch(row)
  if not known or known.rank ~= rank or known.line ~= line then
    known = { rank = rank, line = line, n = 1 }
    view.repeats = known
  end
  while row + known.n <= stop do
    local next = row + known.n
    local lines = api.nvim_buf_get_lines(view.buf, next, math.min(next + STEP, stop + 1), false)
    local same = 0
    while lines[same + 1] == line do
      same = same + 1
    end
    known.n = known.n + same
    if same < STEP then
      break
    end
  end
  return known.n
end

--- Looks for such lines in the rows of a window.
---@param view brummer.LogView
---@param top integer
---@param bottom integer
function M.look(view, top, bottom)
  if next(found) then
    found = {}
  end
  local first = math.max(top - 1, 0)
  local lines = api.nvim_buf_get_lines(view.buf, first, bottom + 2, false)
  for i = top - first + 1, #lines - 1 do
    local line, row = lines[i], first + i - 1
    if line == lines[i + 1] and line ~= '' then
      local goes_on = line == lines[i - 1] and view.lines:stretch(row - 1) >= row
      local n = not goes_on and count(view, row, line) or 1
      if n > 1 then
        found[row] = n
      end
    end
  end
end

local opts = { ephemeral = true, virt_text = { { '', 'BrummerRepeat' } }, virt_text_pos = 'eol' }

--- Draws a row's number of repeats.
---@param buf integer
---@param ns integer
---@param row integer
function M.draw(buf, ns, row)
  local n = found[row]
  if n then
    opts.virt_text[1][1] = ('×%d'):format(n)
    api.nvim_buf_set_extmark(buf, ns, row, 0, opts)
  end
end

return M
