--- What a log shows besides its lines: repeats, the unfinished line, rates, folded frames, names in colours.
return function(test, t)
  local function opened(child, opts)
    local c = child(vim.tbl_extend('force', { width = 100 }, opts or {}))
    return c, c:open_log()
  end
  local function patch(c, it)
    c:lua("require('brummer.rpc').frame(vim.mpack.encode({ rev = 1, logs = { ... } }))", it)
  end
  local function rows(c, ...)
    c:lua("require('brummer.rpc').frame(vim.mpack.encode({ rev = 1, procs = { ... } }))", ...)
  end
  local function add(c, buf, first, lines, extra)
    local it = { buf = buf, id = 1, total = first + #lines - 1, lines = lines, seqs = { first, #lines }, times = { 1, #lines } }
    patch(c, vim.tbl_extend('force', it, extra or {}))
  end
  local function has_row(c, ...)
    for _, row in ipairs(vim.split(c:screen(), '\n')) do
      local all = true
      for _, part in ipairs({ ... }) do
        all = all and row:find(part, 1, true) ~= nil
      end
      if all then
        return true
      end
    end
    return false
  end

  test('lines that are the same are counted at the first of them, and stay as they were printed', function(child)
    local c, buf = opened(child)
    add(c, buf, 1, { 'one', 'same', 'same', 'same' })
    c:cmd('redraw')
    t.ok(has_row(c, 'same', '×3'), c:screen())
    add(c, buf, 5, { 'same', 'other', 'other', '', '' })
    c:type('gg')
    c:cmd('redraw')
    t.ok(has_row(c, 'same', '×4') and not has_row(c, '×3'), c:screen())
    t.ok(has_row(c, 'other', '×2'), c:screen())
    t.eq(c:lines(buf), { 'one', 'same', 'same', 'same', 'same', 'other', 'other', '', '' })
    c:type('ggVGy')
    t.eq(c:lua("return vim.fn.getreg('\"')"), table.concat(c:lines(buf), '\n') .. '\n')
  end)

  test('what stands on both sides of a gap is not counted together', function(child)
    local c, buf = opened(child)
    add(c, buf, 1, { 'same', 'same' })
    add(c, buf, 9, { 'same', 'same', 'same' }, { skipped = 6 })
    c:cmd('redraw')
    t.ok(has_row(c, '×2') and has_row(c, '×3'), c:screen())
  end)

  test('many repeats are counted beyond the window', function(child)
    local c, buf = opened(child)
    local many = {}
    for i = 1, 1500 do
      many[i] = 'again'
    end
    add(c, buf, 1, { 'first' })
    add(c, buf, 2, many)
    c:type('gg')
    c:cmd('redraw')
    t.ok(has_row(c, 'again', '×1500'), c:screen())
  end)

  test('an unfinished line stands below the last one until it is whole', function(child)
    local c, buf = opened(child)
    add(c, buf, 1, { 'one', 'two' })
    rows(c, c:row({ prompt = 'Overwrite? [y/N] ' }))
    c:cmd('redraw')
    t.ok(has_row(c, 'Overwrite? [y/N]'), c:screen())
    t.eq(c:lines(buf), { 'one', 'two' }, 'it is not in the text')
    add(c, buf, 3, { 'three' })
    c:cmd('redraw')
    local screen = c:screen()
    t.ok(screen:find('three.*\n[^\n]*Overwrite') ~= nil, screen)
    rows(c, c:row({}))
    add(c, buf, 4, { 'Overwrite? [y/N] y' })
    c:cmd('redraw')
    t.eq(select(2, c:screen():gsub('Overwrite', '')), 1)
    t.eq(#c:lua("return vim.api.nvim_buf_get_extmarks(..., require('brummer.ui.draw').ns.partial, 0, -1, {})", buf), 0)
  end)

  test('one that is written over and over is no question', function(child)
    local c = opened(child)
    local function bar()
      return c:lua([[local view = require('brummer.ui.view').get(0)
        return select(3, require('brummer.ui.winbar').text(view, vim.api.nvim_get_current_win()))]])
    end
    rows(c, c:row({ prompt = 'Overwrite?' }))
    t.has(bar(), 'asks Overwrite?')
    rows(c, c:row({ prompt = '10 %' }))
    rows(c, c:row({ prompt = '20 %' }))
    t.ok(not bar():find('asks', 1, true), bar())
    c:cmd('redraw')
    t.ok(has_row(c, '20 %') and not has_row(c, '10 %'), c:screen())
    rows(c, c:row({ prompt = '20 %' }))
    t.ok(not bar():find('asks', 1, true), bar())
    rows(c, c:row({ lines = 1, prompt = 'Overwrite?' }))
    t.has(bar(), 'asks Overwrite?')
  end)

  test('colours have numbers for terminals without true colour', function(child)
    local c = child()
    t.eq(
      c:lua([[return vim.tbl_map(function(fg)
        local id = require('brummer.highlight').id({ fg = fg, bold = true })
        return vim.api.nvim_get_hl(0, { id = id }).ctermfg
      end, { '#000000', '#ffffff', '#ff0000', '#5f87af', '#2f74d6', 3 })]]),
      { 16, 231, 196, 67, 32, 3 }
    )
  end)

  test('an unfinished line is seen in a full window that follows', function(child)
    local c, buf = opened(child)
    c:print(buf, 1, 200)
    rows(c, c:row({ prompt = 'Overwrite? [y/N] ' }))
    c:cmd('redraw')
    t.ok(has_row(c, 'Overwrite? [y/N]'), c:screen())
    c:print(buf, 201, 300)
    c:cmd('redraw')
    t.ok(has_row(c, 'Overwrite? [y/N]') and has_row(c, 'line 300'), c:screen())
  end)

  test('rates stand in the bar where there is room', function(child)
    local c, buf = opened(child)
    rows(c, c:row({ lines = 0 }))
    rows(c, c:row({ lines = 500 }))
    t.wait(function()
      return has_row(c, 'dev', '▇')
    end)
    c:cmd('vertical resize 30')
    c:cmd('redraw')
    t.eq(c:lua("return require('brummer.ui.rates').bars({})"), nil)
  end)

  test('seconds with errors are told apart from those without', function(child)
    local c = opened(child)
    rows(c, c:row({ lines = 0 }))
    rows(c, c:row({ lines = 5, errors = 1 }))
    local bars = c:lua("return (require('brummer.ui.rates').bars({ require('brummer.state').get(1) }))")
    t.has(bars, '%#BrummerErrorCount#▇')
  end)

  test('frames are folded once the line after them has come, in every window', function(child)
    local c, buf = opened(child)
    c:cmd('split')
    local lines = { 'TypeError: no', '  at a', '  at b', '  at c' }
    add(c, buf, 1, lines, { folds = { { first = 2, last = 4, count = 3, user = 3, place = c.project .. '/src/b.ts:7' } } })
    local function closed()
      return c:lua(
        [[return vim.tbl_map(function(win)
          return vim.api.nvim_win_call(win, function()
            return { vim.fn.foldclosed(2), vim.fn.foldclosedend(2) }
          end)
        end, vim.fn.win_findbuf(...))]],
        buf
      )
    end
    t.eq(closed(), { { -1, -1 }, { -1, -1 } })
    add(c, buf, 5, { 'after' })
    t.eq(closed(), { { 2, 4 }, { 2, 4 } })
    c:cmd('redraw')
    t.ok(has_row(c, '▸ 3 frames, first of yours src/b.ts:7'), c:screen())
    -- What the user opens stays open.
    c:type('2Gzo')
    add(c, buf, 6, { 'more' })
    t.eq(c:lua('return vim.fn.foldclosed(2)'), -1)
    c:cmd('vsplit')
    c:cmd('hide')
    c:type('2Gzc')
    c:type('<CR>')
    t.eq(c:call('locate').params.seq, 3, 'the first frame of the user\'s')
  end)

  test('no folds come where one selects or has opened all of them, and they come later', function(child)
    local c, buf = opened(child)
    local frames = { 'Error: no', '  at a', '  at b', 'after' }
    c:type('zn')
    add(c, buf, 1, frames, { folds = { { first = 2, last = 3, count = 2 } } })
    t.eq(c:lua('return vim.fn.foldclosed(2)'), -1)
    c:type('zN')
    c:type('GV')
    add(c, buf, 5, frames, { folds = { { first = 6, last = 7, count = 2 } } })
    t.eq(c:lua('return vim.fn.foldclosed(6)'), -1)
    c:type('<Esc>')
    t.wait(function()
      return c:lua('return vim.fn.foldclosed(6)') == 6 and c:lua('return vim.fn.foldclosed(2)') == 2
    end)
  end)

  test('trimming goes through folds', function(child)
    local c, buf = opened(child, { config = { max_lines = 100 } })
    add(c, buf, 1, { 'Error: no', '  at a', '  at b', '  at c', 'after' }, {
      folds = { { first = 2, last = 4, count = 3 } },
    })
    t.eq(c:lua('return vim.fn.foldclosed(2)'), 2)
    c:print(buf, 6, 102)
    t.eq(c:lines(buf)[1], '  at b')
    t.eq(c:lua('return { vim.fn.foldclosed(1), vim.fn.foldclosedend(1) }'), { 1, 2 })
    c:print(buf, 103, 300)
    t.eq(c:lua('return vim.fn.foldlevel(1)'), 0)
    t.eq(c:lua("return #require('brummer.ui.view').get(...).folds", buf), 0)
  end)

  test('folds are there again when the log is shown again', function(child)
    local c, buf = opened(child)
    add(c, buf, 1, { 'Error: no', '  at a', '  at b', 'after' }, {
      folds = { { first = 2, last = 3, count = 2 } },
    })
    c:cmd('hide')
    c:cmd('split | call nvim_win_set_buf(0, ' .. buf .. ')')
    t.eq(c:lua('return { vim.fn.foldclosed(2), vim.fn.foldlevel(2) }'), { 2, 1 })
  end)

  test('names in the merged log have a colour each', function(child)
    local c, buf = opened(child)
    rows(c, c:row({}), c:row({ id = 2, name = 'api' }))
    local merged = c:lua(
      "return require('brummer.ui.view').buffer(require('brummer.ui.view').log_name(...))",
      c.project
    )
    c:cmd('tabnew | call nvim_win_set_buf(0, ' .. merged .. ')')
    t.ok(c:call('watch', 2))
    patch(c, { buf = merged, reset = true, total = 2, lines = { 'a', 'b' }, seqs = { 1, 1, 1, 1 }, ids = { 1, 1, 2, 1 }, times = { 1, 2 } })
    c:cmd('redraw')
    t.ok(has_row(c, 'dev', 'a') and has_row(c, 'api', 'b'), c:screen())
    t.ok(buf)
  end)
end
