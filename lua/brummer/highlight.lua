--- Highlight groups: links that a colour scheme or the user may replace, the 16 terminal colours,
--- and groups for what programs print beyond them, made when first seen.
local M = {}

---@type table<string, string>
M.links = {
  BrummerRunning = 'DiagnosticOk',
  BrummerPending = 'DiagnosticHint',
  BrummerSuccess = 'DiagnosticOk',
  BrummerFailed = 'DiagnosticError',
  BrummerStopped = 'Comment',
  BrummerErrorSign = 'DiagnosticSignError',
  BrummerWarningSign = 'DiagnosticSignWarn',
  BrummerErrorLine = 'DiagnosticVirtualTextError',
  BrummerErrorCount = 'DiagnosticError',
  BrummerTime = 'LineNr',
  BrummerProcess = 'Identifier',
  BrummerGap = 'NonText',
  BrummerRule = 'NonText',
  BrummerMatch = 'Search',
  BrummerClipped = 'NonText',
  BrummerRepeat = 'NonText',
  BrummerPartial = 'Normal',
  BrummerRates = 'Comment',
  BrummerLogName1 = 'Identifier',
  BrummerLogName2 = 'String',
  BrummerLogName3 = 'Type',
  BrummerLogName4 = 'Function',
  BrummerLogName5 = 'Constant',
  BrummerLogName6 = 'Special',
  BrummerTitle = 'Title',
  BrummerName = 'Normal',
  BrummerCommand = 'Comment',
  BrummerPackage = 'Comment',
  BrummerPort = 'Identifier',
  BrummerUrl = 'Underlined',
  BrummerUsage = 'Comment',
  BrummerNotReady = 'DiagnosticWarn',
  BrummerLeft = 'DiagnosticWarn',
  BrummerHealthWarning = 'DiagnosticWarn',
  BrummerHealthError = 'DiagnosticError',
}

local NAMES = { 'Black', 'Red', 'Green', 'Yellow', 'Blue', 'Magenta', 'Cyan', 'White' }

-- Used when the colour scheme sets no g:terminal_color_N.
local FALLBACK = {
  [0] = '#3b3b3b',
  '#cc4444',
  '#4e9a06',
  '#b58900',
  '#3465a4',
  '#a050a0',
  '#06989a',
  '#c8c8c8',
  '#7a7a7a',
  '#ef5350',
  '#8ae234',
  '#e0c000',
  '#729fcf',
  '#c080c0',
  '#34e2e2',
  '#eeeeec',
}

-- Neovim allows about 20,000 groups in all; colours beyond this share the plain attributes.
local MAX_STYLES = 2000

---@class brummer.Style
---@field fg? integer|string
---@field bg? integer|string
---@field bold? boolean
---@field dim? boolean
---@field italic? boolean
---@field underline? boolean
---@field reverse? boolean
---@field strike? boolean

---@type table<string, { id: integer, name: string, style: brummer.Style }>
local made = {}
local made_count = 0
local ready = false

--- Name of the group of a terminal colour, 0 to 15.
---@param n integer
---@return string
function M.ansi_name(n)
  return 'BrummerAnsi' .. (n > 7 and 'Bright' or '') .. NAMES[n % 8 + 1]
end

---@param n integer
---@return string '#rrggbb'
local function palette(n)
  if n < 16 then
    local set = vim.g['terminal_color_' .. n]
    local valid = type(set) == 'string' and vim.api.nvim_get_color_by_name(set) ~= -1
    return valid and set or FALLBACK[n]
  elseif n < 232 then
    local function level(v)
      return v == 0 and 0 or 55 + v * 40
    end
    n = n - 16
    return ('#%02x%02x%02x'):format(
      level(math.floor(n / 36)),
      level(math.floor(n / 6) % 6),
      level(n % 6)
    )
  end
  local grey = 8 + (n - 232) * 10
  return ('#%02x%02x%02x'):format(grey, grey, grey)
end

--- The colour of the 6×6×6 cube that is nearest, for terminals where 'termguicolors' is off.
---@param color string '#rrggbb'
---@return integer?
local function nearest(color)
  local n = 16
  for i, hex in ipairs({ color:match('^#(%x%x)(%x%x)(%x%x)$') }) do
    local v = tonumber(hex, 16)
    -- Its levels are 0, 95, 135, … 255.
    local level = v < 48 and 0 or v < 115 and 1 or math.floor((v - 35) / 40)
    n = n + level * 6 ^ (3 - i)
  end
  return n
end

---@param color integer|string|nil
---@return string? gui
---@return integer? cterm
local function color_of(color)
  if type(color) == 'number' then
    return palette(color), color
  end
  return color, color and nearest(color)
end

---@param style brummer.Style
---@return vim.api.keyset.highlight
local function definition(style)
  local fg, ctermfg = color_of(style.fg)
  local bg, ctermbg = color_of(style.bg)
  if style.dim and not fg then
    fg = palette(8)
  end
  local flags = {
    bold = style.bold,
    italic = style.italic,
    underline = style.underline,
    reverse = style.reverse,
    strikethrough = style.strike,
  }
  return vim.tbl_extend('error', {
    fg = fg,
    bg = bg,
    ctermfg = ctermfg,
    ctermbg = ctermbg,
    cterm = next(flags) and flags or nil,
  }, flags)
end

--- Defines every group; again after a change of colour scheme.
function M.define()
  ready = true
  for name, target in pairs(M.links) do
    vim.api.nvim_set_hl(0, name, { link = target, default = true })
  end
  for n = 0, 15 do
    vim.api.nvim_set_hl(0, M.ansi_name(n), { fg = palette(n), ctermfg = n, default = true })
  end
  for _, entry in pairs(made) do
    vim.api.nvim_set_hl(0, entry.name, definition(entry.style))
  end
end

--- Defines the groups once and keeps them over colour schemes.
function M.setup()
  if not ready then
    M.define()
    vim.api.nvim_create_autocmd('ColorScheme', {
      group = vim.api.nvim_create_augroup('brummer.highlight', {}),
      desc = 'brummer: define highlight groups again',
      callback = M.define,
    })
  end
end

---@param style brummer.Style
---@return string
local function key_of(style)
  local parts = { tostring(style.fg), tostring(style.bg) }
  for _, flag in ipairs({ 'bold', 'dim', 'italic', 'underline', 'reverse', 'strike' }) do
    parts[#parts + 1] = style[flag] and flag:sub(1, 2) or ''
  end
  return table.concat(parts, '_')
end

--- The group of a style as a number, which is what extmarks take fastest.
---@param style brummer.Style
---@return integer
function M.id(style)
  M.setup()
  local key = key_of(style)
  if made[key] then
    return made[key].id
  end
  local plain = type(style.fg) == 'number' and style.fg < 16
  if plain and key == key_of({ fg = style.fg }) then
    return vim.api.nvim_get_hl_id_by_name(M.ansi_name(style.fg))
  end
  if made_count >= MAX_STYLES then
    return vim.api.nvim_get_hl_id_by_name('Normal')
  end
  made_count = made_count + 1
  local name = ('BrummerStyle%d'):format(made_count)
  vim.api.nvim_set_hl(0, name, definition(style))
  local id = vim.api.nvim_get_hl_id_by_name(name)
  made[key] = { id = id, name = name, style = style }
  return id
end

return M
