--- What a log shows beyond its text: B10 and the sketch of a log.
return function(test, t)
  local T = 1700000000000
  local function clock(ms)
    return os.date('%H:%M:%S', math.floor(ms / 1000))
  end
  local function patch(buf, fields)
    return {
      rev = 1,
      logs = {
        vim.tbl_extend(
          'force',
          { buf = buf, id = 1, total = 9, seqs = {}, lines = {}, times = {} },
          fields
        ),
      },
    }
  end

  test('B10: the time stands where it differs from the line above', function(child)
    local c = child({ height = 30 })
    local buf = c:open_log()
    c:frame(
      patch(buf, { lines = { 'a', 'b', 'c' }, seqs = { 1, 3 }, times = { T, 2, T + 5000, 1 } })
    )
    local screen = c:screen()
    t.has(screen, clock(T) .. '  a')
    t.has(screen, clock(T + 5000) .. '  c')
    t.ok(not screen:find(clock(T) .. '  b', 1, true), screen)
    t.eq(c:lines(buf), { 'a', 'b', 'c' }, 'the text is only what was printed')
  end)

  test('B10: blank on wrapped rows', function(child)
    local c = child({ height = 30 })
    local buf = c:open_log()
    c:frame(patch(buf, { lines = { ('x'):rep(100) }, seqs = { 1, 1 }, times = { T, 1 } }))
    t.has(c:screen(), '\n          xxxx')
    t.eq(select(2, c:screen():gsub(clock(T), '')), 1)
  end)

  test('B10: hidden under 60 columns and by time = false', function(child)
    local c = child({ height = 30, width = 59 })
    local buf = c:open_log()
    local p = { lines = { 'a' }, seqs = { 1, 1 }, times = { T, 1 } }
    c:frame(patch(buf, p))
    t.ok(not c:screen():find(clock(T), 1, true))
    c:resize(70, 30)
    t.wait(function()
      return c:screen():find(clock(T), 1, true)
    end, 'the time in a wider window')
    local off = child({ height = 30, config = { time = false } })
    buf = off:open_log()
    off:frame(patch(buf, p))
    t.ok(not off:screen():find(clock(T), 1, true))
  end)

  test('B10: the options never stay when another buffer is shown', function(child)
    local c = child({ height = 30, files = { ['a.txt'] = 'x\n' } })
    c:cmd('set number')
    c:open_log()
    t.wait(function()
      return c:lua("return vim.wo.winbar ~= '' and vim.wo.numberwidth == 8")
    end)
    c:cmd('edit a.txt')
    t.eq(c:lua('return { vim.wo.number, vim.wo.numberwidth }'), { true, 4 }, 'the own options of the user are back')
    t.eq(
      c:lua('return { vim.wo.statuscolumn, vim.wo.winbar, vim.wo.signcolumn }'),
      { '', '', 'auto' }
    )
    c:cmd('split | buffer a.txt')
    t.eq(c:lua('return vim.wo.statuscolumn'), '')
  end)

  test('B10: the merged log names the process, cut to 8 cells', function(child)
    local c = child({ height = 30 })
    c:cmd('BrummerRun api worker')
    c:call('watch')
    local buf = t.wait(function()
      return c:lua("local v = require('brummer.ui.view').get(0); return v and v.buf")
    end)
    t.eq(c:call('watch').params.name, nil)
    c:frame({ rev = 1, procs = { c:row({ id = 2, name = 'a-long-name' }) } })
    c:frame(patch(buf, {
      lines = { 'a', 'b', 'c' },
      seqs = { 1, 1, 7, 1, 2, 1 },
      ids = { 1, 1, 2, 1, 1, 1 },
      times = { T, 3 },
    }))
    local screen = c:screen()
    t.has(screen, clock(T) .. ' api       a')
    t.has(screen, 'a-long-…  b')
    c:type('j')
    c:lua([[require('brummer.actions').run('go')]])
    t.eq(c:call('locate').params, { id = 1, seq = 2 })
  end)

  test('signs, run rule, clipped note', function(child)
    local c = child({ height = 30 })
    local buf = c:open_log()
    c:frame(patch(buf, {
      lines = { 'first', 'bad', 'second' },
      seqs = { 1, 3 },
      times = { T, 3 },
      marks = { 2, 1 },
      clipped = { 2, 70000 },
      runs = {
        { seq = 1, run = 1, at = T },
        { seq = 3, run = 2, at = T, prev = { state = 'failed', exit_code = 1, took = 41000 } },
      },
    }))
    local screen = c:screen()
    t.has(screen, '✗ bad')
    t.has(screen, ('── run 2 · %s · exit 1 after 41 s ──'):format(clock(T)))
    t.ok(not screen:find('run 1', 1, true))
    t.has(screen, 'second … cut, the line has 70,000 bytes')
    c:type('gg]p')
    t.eq(c:lua('return vim.api.nvim_win_get_cursor(0)[1]'), 3)
    c:frame(patch(buf, { runs = { { seq = 4, run = 3, at = T } } }))
    c:frame(patch(buf, { lines = { 'third' }, seqs = { 4, 1 }, times = { T, 1 } }))
    t.has(c:screen(), '── run 3')
  end)

  test('colours: 16, 256 and truecolor, kept over a colour scheme', function(child)
    local c = child({ height = 30 })
    local buf = c:open_log()
    c:lua("vim.g.terminal_color_1 = '#aa0000'")
    c:frame(patch(buf, {
      lines = { 'red bold true' },
      seqs = { 1, 1 },
      times = { T, 1 },
      styles = {
        { style = 1, fg = 1 },
        { style = 2, fg = 208, bold = true },
        { style = 3, bg = '#102030' },
      },
      spans = { 0, 0, 3, 1, 0, 4, 8, 2, 0, 9, 13, 3 },
    }))
    local function groups()
      return c:lua([[
        local out, set = {}, vim.api.nvim_buf_set_extmark
        vim.api.nvim_buf_set_extmark = function(buf, ns, row, col, opts)
          if opts.ephemeral then
            local name = vim.fn.synIDattr(opts.hl_group, 'name')
            local hl = vim.api.nvim_get_hl(0, { name = name })
            table.insert(out, { col, opts.end_col, name, hl.fg or false, hl.bg or false })
          end
          return set(buf, ns, row, col, opts)
        end
        vim.cmd('redraw!')
        vim.api.nvim_buf_set_extmark = set
        return out
      ]])
    end
    local got = groups()
    t.eq({ got[1][1], got[1][2], got[1][3] }, { 0, 3, 'BrummerAnsiRed' })
    t.eq(got[2][4], 0xff8700)
    t.eq(got[3][5], 0x102030)
    c:cmd('colorscheme blue')
    t.eq(groups()[2][4], 0xff8700)
    t.eq(groups()[3][5], 0x102030)
    t.ok(groups()[1][4], 'the terminal colour is there again')
  end)

  test('the winbar says state, counts, errors and follow', function(child)
    local c = child({ height = 30 })
    local buf = c:open_log()
    c:print(buf, 1, 100)
    c:frame(patch(buf, { total = 93112 }))
    c:frame({ rev = 1, procs = { c:row({ lines = 93112, errors = 2 }) } })
    t.wait(function()
      return c:screen():find('● dev · 100 of 93,112 lines · 2 errors · following', 1, true)
    end, 'the bar')
    c:frame({ rev = 1, procs = { c:row({ lines = 93112, state = 'failed', exit_code = 1 }) } })
    t.wait(function()
      return c:screen():find('✗ dev · exit 1', 1, true)
    end)
  end)

  test('in a narrow window the winbar keeps name, state and follow', function(child)
    local c = child({ height = 30 })
    local buf = c:open_log()
    c:frame(patch(buf, { total = 93112 }))
    c:frame({ rev = 1, procs = { c:row({ lines = 93112, errors = 2 }) } })
    c:cmd('vertical botright 40split')
    t.wait(function()
      return c:screen():find('● dev · 2 errors · following', 1, true)
    end, 'the bar without the lines')
    c:cmd('vertical resize 14')
    t.wait(function()
      return c:screen():find('● dev · 2 er', 1, true)
    end, 'the head of the bar')
  end)

  test('a long line above a short one leaves no empty rows', function(child)
    local c = child()
    local buf = c:open_log()
    c:frame(patch(buf, { lines = { ('x'):rep(3000), 'short' }, seqs = { 1, 2 }, times = { T, 2 } }))
    local rows = t.wait(function()
      local rows = vim.split(c:screen(), '\n')
      return c:screen():find('short', 1, true) and rows
    end)
    for i, row in ipairs(rows) do
      if row:find('short', 1, true) then
        t.has(rows[i - 1], 'xxxx')
      end
    end
  end)

  test('icons = ascii', function(child)
    local c = child({ height = 30, config = { icons = 'ascii' } })
    local buf = c:open_log()
    c:frame(patch(buf, { lines = { 'bad' }, seqs = { 1, 1 }, times = { T, 1 }, marks = { 1, 1 } }))
    t.has(c:screen(), 'x bad')
  end)
end
