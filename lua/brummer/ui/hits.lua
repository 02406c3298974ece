--- The lines a search found: which ones they are, and the time and name left of them.
local M = {}

-- Narrower windows keep their cells for the text.
local MIN_WIDTH = 60
local NAME_CELLS = 8
local EXPRESSION = "%!v:lua.require'brummer.ui.hits'.column()"

---@class brummer.Hit
---@field seq integer
---@field id integer 0: of an earlier session
---@field name string
---@field t integer

---@class brummer.HitPatch
---@field buf integer
---@field reset? boolean
---@field lines string[]
---@field seqs integer[]
---@field times integer[]
---@field ids integer[]
---@field names { [1]: string, [2]: integer }[]
---@field matches? integer[]
---@field clipped? integer[]
---@field total integer
---@field done? boolean
---@field more? boolean
---@field error? string

--- What a patch says of its lines, one by one.
---@param patch brummer.HitPatch
---@return brummer.Hit[]
function M.of(patch)
  local hits = {} ---@type brummer.Hit[]
  for i = 1, #patch.seqs, 2 do
    for n = 0, patch.seqs[i + 1] - 1 do
      hits[#hits + 1] = { seq = patch.seqs[i] + n, id = 0, name = '', t = 0 }
    end
  end
  local function spread(runs, field)
    local row = 0
    for i = 1, #(runs or {}), 2 do
      for n = row + 1, math.min(row + runs[i + 1], #hits) do
        hits[n][field] = runs[i]
      end
      row = row + runs[i + 1]
    end
  end
  spread(patch.ids, 'id')
  spread(patch.times, 't')
  spread(vim.iter(patch.names or {}):flatten():totable(), 'name')
  return hits
end

--- Time and name left of the row that is being drawn.
---@return string
function M.column()
  local view = require('brummer.ui.view').get(vim.api.nvim_win_get_buf(vim.g.statusline_winid)) --[[@as brummer.SearchView?]]
  local hit = view and view.hits and vim.v.virtnum == 0 and view.hits[vim.v.lnum]
  if not hit then
    return (' '):rep(8 + 1 + NAME_CELLS + 1)
  end
  local above = view.hits[vim.v.lnum - 1]
  local time = os.date('%H:%M:%S', math.floor(hit.t / 1000)) --[[@as string]]
  if above and math.floor(above.t / 1000) == math.floor(hit.t / 1000) then
    time = (' '):rep(8)
  end
  local name = above and above.name == hit.name and '' or hit.name
  name = require('brummer.text').pad(name, NAME_CELLS):gsub('%%', '%%%%')
  return ('%%#BrummerTime#%s %%#BrummerProcess#%s%%* '):format(time, name)
end

--- Sets or removes the column of a window, by its width.
---@param win integer
function M.style(win)
  local time = require('brummer.config').get().time
  local wide = time and vim.api.nvim_win_get_width(win) >= MIN_WIDTH
  vim.wo[win][0].statuscolumn = wide and EXPRESSION or ''
end

return M
