--- The rows of a health report that tell what became of processes. Pure.
local columns = require('brummer.ui.columns')
local purpose = require('brummer.ui.purpose')
local text = require('brummer.text')

---@param out brummer.ReportRow[]
---@param list { name: string, count: integer }[]
return function(out, list)
  if #list == 0 then
    return
  end
  out[#out + 1] = columns.heading('So far', 'what became of processes since the host started')
  for _, it in ipairs(list) do
    local words = purpose.counter[it.name] or ''
    out[#out + 1] =
      columns.row({ { it.name, 18 }, { text.count(it.count), -8 }, { ' ' .. words, 0, 'BrummerCommand' } })
  end
end
