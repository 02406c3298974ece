--- Options: a wrong one is named, its default used, the editor goes on.
return function(test, t)
  local config = require('brummer.config')

  test('nothing given gives the defaults', function()
    local merged, problems = config.resolve(nil)
    t.eq(problems, {})
    t.eq(merged.max_lines, 10000)
    t.eq(merged.open, 'split')
  end)

  test('an unknown option names the nearest', function()
    local _, problems = config.resolve({ icon = 'nerd', max_line = 5 })
    t.eq(problems, {
      "unknown option 'icon', did you mean 'icons'?",
      "unknown option 'max_line', did you mean 'max_lines'?",
    })
  end)

  test('a wrong value gives the default and says what is expected', function()
    local merged, problems = config.resolve({ open = 'side', time = 'yes', max_lines = 3 })
    t.eq(merged.open, 'split')
    t.eq(merged.time, true)
    t.eq(merged.max_lines, 10000)
    t.has(table.concat(problems, '\n'), "option 'open' is 'side', expected split, vsplit, tab, float")
    t.has(table.concat(problems, '\n'), "option 'time' is 'yes', expected boolean")
    t.has(table.concat(problems, '\n'), "option 'max_lines' is 3, at least 100")
  end)

  test('a function is called, and one that raises is a problem', function()
    t.eq(
      config.resolve(function()
        return { icons = 'ascii' }
      end).icons,
      'ascii'
    )
    local merged, problems = config.resolve(function()
      error('no')
    end)
    t.eq(merged.icons, 'plain')
    t.eq(#problems, 1)
  end)

  test('problems are told once, and :checkhealth lists them', function(child)
    local c = child({ width = 200, config = { icon = 1, tme = false } })
    c:open_log()
    c:hears("unknown option 'icon', did you mean 'icons'? (1 more in :checkhealth brummer)")
    t.eq(#c:lua('return _G.said'), 1)
    c:cmd('checkhealth brummer')
    local text = table.concat(c:lines(), '\n')
    t.has(text, "unknown option 'icon'")
    t.has(text, "unknown option 'tme', did you mean 'time'?")
  end)

  test('setup() is as good as vim.g.brummer', function(child)
    local c = child()
    c:lua("require('brummer').setup({ icons = 'ascii' })")
    t.eq(c:lua("return require('brummer.config').icon('running')"), '*')
  end)

  test('text: fit cuts the longest path in the middle', function()
    local text = require('brummer.text')
    local cut = text.fit('no such file /home/someone/projects/shop/src/very/deep/total.ts here', 40)
    t.ok(vim.fn.strdisplaywidth(cut) <= 40, cut)
    t.has(cut, '…')
    t.has(cut, 'total.ts here')
    t.has(cut, 'no such file ')
    t.eq(text.fit('short', 40), 'short')
    t.eq(text.count(1234567), '1,234,567')
    t.eq(text.count(100), '100')
    t.eq(text.nearest('rn', { 'run', 'stop' }), 'run')
    t.eq(text.wrap('one two three', 7), { 'one two', 'three' })
    t.eq(text.wrap('aé€bcdefgh ij', 4), { 'aé€b', 'cdef', 'gh', 'ij' })
    t.eq(text.wrap('', 7), { '' })
    t.eq(text.nearest('xyzzy', { 'run', 'stop' }), nil)
  end)
end
