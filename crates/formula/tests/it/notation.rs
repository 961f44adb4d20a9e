//! What the notation means, that mistakes in it are reported, and that no text makes the parser panic or write broken markup.

use surprisal_formula::{block, inline};

/// A formula, and the body of its `<math>` element (with single quotes).
const GOLDEN: &[(&str, &str)] = &[
    ("x W + b", "<mi>x</mi><mi>W</mi><mo>+</mo><mi>b</mi>"),
    (
        "1 / (1 + e^-x)",
        "<mfrac><mn>1</mn><mrow><mn>1</mn><mo>+</mo><msup><mi>e</mi><mrow><mo form='prefix'>−</mo><mi>x</mi></mrow></msup></mrow></mfrac>",
    ),
    (
        "2 (x - mean) / (n - correction) dy",
        "<mfrac><mrow><mn>2</mn><mrow><mo>(</mo><mi>x</mi><mo>−</mo><mi>mean</mi><mo>)</mo></mrow></mrow><mrow><mi>n</mi><mo>−</mo><mi>correction</mi></mrow></mfrac><mspace width='0.17em'/><mrow><mi>d</mi><mi>y</mi></mrow>",
    ),
    (
        "e^x_i / Σ_j e^x_j dy",
        "<mfrac><msup><mi>e</mi><msub><mi>x</mi><mi>i</mi></msub></msup><mrow><munder><mo>∑</mo><mi>j</mi></munder><msup><mi>e</mi><msub><mi>x</mi><mi>j</mi></msub></msup></mrow></mfrac><mspace width='0.17em'/><mrow><mi>d</mi><mi>y</mi></mrow>",
    ),
    (
        "dl/da · da/dz",
        "<mfrac><mrow><mi>d</mi><mi>l</mi></mrow><mrow><mi>d</mi><mi>a</mi></mrow></mfrac><mo>·</mo><mfrac><mrow><mi>d</mi><mi>a</mi></mrow><mrow><mi>d</mi><mi>z</mi></mrow></mfrac>",
    ),
    (
        "y dl/dy",
        "<mi>y</mi><mspace width='0.10em'/><mfrac><mrow><mi>d</mi><mi>l</mi></mrow><mrow><mi>d</mi><mi>y</mi></mrow></mfrac>",
    ),
    ("a b / c / d", "<mfrac><mfrac><mrow><mi>a</mi><mi>b</mi></mrow><mi>c</mi></mfrac><mi>d</mi></mfrac>"),
    ("x^(p-1)", "<msup><mi>x</mi><mrow><mi>p</mi><mo>−</mo><mn>1</mn></mrow></msup>"),
    (
        "Σ_{j≠i} x_j²",
        "<mrow><munder><mo>∑</mo><mrow><mi>j</mi><mo>≠</mo><mi>i</mi></mrow></munder><msubsup><mi>x</mi><mi>j</mi><mn>2</mn></msubsup></mrow>",
    ),
    (
        "x_ij + y_start + w_(i + 1)",
        "<msub><mi>x</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub><mo>+</mo><msub><mi>y</mi><mi>start</mi></msub><mo>+</mo><msub><mi>w</mi><mrow><mi>i</mi><mo>+</mo><mn>1</mn></mrow></msub>",
    ),
    (
        "dA = dY Bᵀ",
        "<mrow><mi>d</mi><mi>A</mi></mrow><mo>=</mo><mrow><mi>d</mi><mi>Y</mi></mrow><mspace width='0.17em'/><msup><mi>B</mi><mi mathvariant='normal'>T</mi></msup>",
    ),
    (
        "e² / (2β) where |e| < β, else 0",
        "<mfrac><msup><mi>e</mi><mn>2</mn></msup><mrow><mn>2</mn><mi>β</mi></mrow></mfrac><mspace width='0.28em'/><mtext>where</mtext><mspace width='0.28em'/><mrow><mo>&#124;</mo><mi>e</mi><mo>&#124;</mo></mrow><mo>&#60;</mo><mi>β</mi><mo>,</mo><mspace width='0.60em'/><mtext>else</mtext><mspace width='0.28em'/><mn>0</mn>",
    ),
    (
        "D = ‖x₁ - x₂‖",
        "<mi>D</mi><mo>=</mo><mrow><mo>‖</mo><msub><mi>x</mi><mn>1</mn></msub><mo>−</mo><msub><mi>x</mi><mn>2</mn></msub><mo>‖</mo></mrow>",
    ),
    (
        "KL(p‖q)",
        "<mrow><mi>KL</mi><mrow><mo>(</mo><mi>p</mi><mo stretchy='false'>‖</mo><mi>q</mi><mo>)</mo></mrow></mrow>",
    ),
    (
        "½ (a - y)²",
        "<mn>½</mn><msup><mrow><mo>(</mo><mi>a</mi><mo>−</mo><mi>y</mi><mo>)</mo></mrow><mn>2</mn></msup>",
    ),
    (
        "√(2/π) √v̂",
        "<msqrt><mrow><mfrac><mn>2</mn><mi>π</mi></mfrac></mrow></msqrt><msqrt><mover accent='true'><mi>v</mi><mo stretchy='false'>ˆ</mo></mover></msqrt>",
    ),
    (
        "(σ(x) + x σ'(x)) dy",
        "<mrow><mo>(</mo><mrow><mi>σ</mi><mrow><mo>(</mo><mi>x</mi><mo>)</mo></mrow></mrow><mo>+</mo><mi>x</mi><mrow><msup><mi>σ</mi><mo>′</mo></msup><mrow><mo>(</mo><mi>x</mi><mo>)</mo></mrow></mrow><mo>)</mo></mrow><mspace width='0.17em'/><mrow><mi>d</mi><mi>y</mi></mrow>",
    ),
    (
        "ln Σ_j e^z_j - z_y",
        "<mrow><mi>ln</mi><mspace width='0.17em'/><mrow><munder><mo>∑</mo><mi>j</mi></munder><msup><mi>e</mi><msub><mi>z</mi><mi>j</mi></msub></msup></mrow></mrow><mo>−</mo><msub><mi>z</mi><mi>y</mi></msub>",
    ),
    (
        "d ln cosh e / de = tanh e",
        "<mfrac><mrow><mi>d</mi><mspace width='0.17em'/><mrow><mi>ln</mi><mspace width='0.17em'/><mrow><mi>cosh</mi><mspace width='0.17em'/><mi>e</mi></mrow></mrow></mrow><mrow><mi>d</mi><mi>e</mi></mrow></mfrac><mo>=</mo><mrow><mi>tanh</mi><mspace width='0.17em'/><mi>e</mi></mrow>",
    ),
    ("slope x", "<mi>slope</mi><mspace width='0.28em'/><mi>x</mi>"),
    (
        "-[j = y] ± ∓ 1",
        "<mo form='prefix'>−</mo><mrow><mo>&#91;</mo><mi>j</mi><mo>=</mo><mi>y</mi><mo>&#93;</mo></mrow><mo>±</mo><mo form='prefix'>∓</mo><mn>1</mn>",
    ),
    (
        "a <= b, b >= c; c ≠ d",
        "<mi>a</mi><mo>≤</mo><mi>b</mi><mo>,</mo><mspace width='0.60em'/><mi>b</mi><mo>≥</mo><mi>c</mi><mo>;</mo><mspace width='0.60em'/><mi>c</mi><mo>≠</mo><mi>d</mi>",
    ),
    (
        "α_y (1 - p_y)^γ (-ln p_y)",
        "<msub><mi>α</mi><mi>y</mi></msub><msup><mrow><mo>(</mo><mn>1</mn><mo>−</mo><msub><mi>p</mi><mi>y</mi></msub><mo>)</mo></mrow><mi>γ</mi></msup><mrow><mo>(</mo><mo form='prefix'>−</mo><mrow><mi>ln</mi><mspace width='0.17em'/><msub><mi>p</mi><mi>y</mi></msub></mrow><mo>)</mo></mrow>",
    ),
    (
        "∂f/∂x1",
        "<mfrac><mrow><mi>∂</mi><mi>f</mi></mrow><mrow><mi>∂</mi><msub><mi>x</mi><mn>1</mn></msub></mrow></mfrac>",
    ),
    (
        "d²l/dx²",
        "<mfrac><mrow><msup><mi>d</mi><mn>2</mn></msup><mi>l</mi></mrow><mrow><mi>d</mi><msup><mi>x</mi><mn>2</mn></msup></mrow></mfrac>",
    ),
    (
        "y_i = weight[x_i]",
        "<msub><mi>y</mi><mi>i</mi></msub><mo>=</mo><mrow><mi>weight</mi><mrow><mo>&#91;</mo><msub><mi>x</mi><mi>i</mi></msub><mo>&#93;</mo></mrow></mrow>",
    ),
    (
        "2 · 0.5 0.25 (0.3 - 1)",
        "<mn>2</mn><mo>·</mo><mn>0.5</mn><mo>·</mo><mn>0.25</mn><mrow><mo>(</mo><mn>0.3</mn><mo>−</mo><mn>1</mn><mo>)</mo></mrow>",
    ),
    (
        "x_(index j) .. dice_loss",
        "<msub><mi>x</mi><mrow><mi>index</mi><mspace width='0.28em'/><mi>j</mi></mrow></msub><mo>…</mo><mi>dice&#95;loss</mi>",
    ),
    ("θ ← θ - η g", "<mi>θ</mi><mo stretchy='false'>←</mo><mi>θ</mi><mo>−</mo><mi>η</mi><mi>g</mi>"),
    (
        "t! / 4.5e-5",
        "<mfrac><mrow><mi>t</mi><mo>!</mo></mrow><mrow><mn>4.5</mn><mo>·</mo><msup><mn>10</mn><mn>−5</mn></msup></mrow></mfrac>",
    ),
    (
        "||a| - |b||",
        "<mrow><mo>&#124;</mo><mrow><mo>&#124;</mo><mi>a</mi><mo>&#124;</mo></mrow><mo>−</mo><mrow><mo>&#124;</mo><mi>b</mi><mo>&#124;</mo></mrow><mo>&#124;</mo></mrow>",
    ),
];

#[test]
fn the_notation_means_what_its_table_says() {
    for &(formula, expected) in GOLDEN {
        let math = inline(formula).unwrap();
        let body = math.split_once('>').unwrap().1.strip_suffix("</math>").unwrap();
        assert_eq!(body.replace('"', "'"), expected, "{formula}");
        well_formed(&math);
    }
}

#[test]
fn a_formula_is_one_line_that_carries_its_text() {
    let math = block("a < b\n |x|").unwrap();
    assert!(math.starts_with("<math display=\"block\" "), "{math}");
    assert!(math.contains(" alttext=\"a &#60; b  &#124;x&#124;\">"), "{math}");
    assert!(!math.contains('\n'), "{math}");
}

#[test]
fn a_mistake_is_reported_with_its_place() {
    let told = |formula: &str| {
        let error = inline(formula).unwrap_err();
        format!("{} {}", error.position, error.message)
    };
    assert_eq!(told(""), "0 it is empty");
    assert_eq!(told("σ(x + (y)"), "1 nothing closes this \"(\"");
    assert_eq!(told("[a)"), "2 nothing opens this \")\"");
    assert_eq!(told("a)"), "1 nothing opens this \")\"");
    assert_eq!(told("|x"), "0 nothing closes this \"|\"");
    assert_eq!(told("= / b"), "2 there is nothing above this fraction bar");
    assert_eq!(told("a / + b"), "2 there is nothing below this fraction bar");
    assert_eq!(told("a/"), "1 there is nothing below this fraction bar");
    assert_eq!(told("x^ 2"), "1 there is nothing behind this \"^\"");
    assert_eq!(told("x_"), "1 there is nothing behind this \"_\"");
    assert_eq!(told("√"), "0 there is nothing under this root");
    assert_eq!(told("a ? b"), "2 \"?\" is not part of the notation");
    assert_eq!(told(&"(".repeat(100_000)), "65 this is more than 64 levels deep");
}

#[test]
fn no_text_makes_it_panic_or_write_broken_markup() {
    let pieces: Vec<char> = "()[]{}|‖/^_-+.,;'!√Σ∂½²ᵀ₁\u{302}αŷdln e12≠< \t×".chars().collect();
    let mut state = 1_u64;
    let mut random = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let mut parsed = 0;
    for &(formula, _) in GOLDEN {
        for _ in 0..2000 {
            let mut text: Vec<char> = formula.chars().collect();
            for _ in 0..=random(3) {
                let at = random(text.len().max(1));
                match random(3) {
                    0 if at < text.len() => drop(text.remove(at)),
                    1 if at < text.len() => text[at] = pieces[random(pieces.len())],
                    _ => text.insert(at, pieces[random(pieces.len())]),
                }
            }
            match inline(&text.iter().collect::<String>()) {
                Ok(math) => {
                    parsed += 1;
                    well_formed(&math);
                }
                Err(error) => assert!(error.position <= text.len(), "{error}"),
            }
        }
    }
    assert!(parsed > 10_000, "{parsed} of the changed formulas parse: too few to try the writer");
}

/// Every element is closed, and has as many children as it must have.
#[track_caller]
fn well_formed(math: &str) {
    let mut open: Vec<(&str, usize)> = vec![("", 0)];
    for tag in math.split('<').skip(1) {
        let tag = tag.split_once('>').expect("every tag ends").0;
        if let Some(name) = tag.strip_suffix('/') {
            assert!(name.starts_with("mspace"), "{math}");
            open.last_mut().unwrap().1 += 1;
        } else if let Some(name) = tag.strip_prefix('/') {
            let (opened, children) = open.pop().unwrap();
            assert_eq!(opened, name, "{math}");
            let needed = match name {
                "mfrac" | "msub" | "msup" | "munder" | "mover" => Some(2),
                "msubsup" | "munderover" => Some(3),
                "msqrt" => Some(1),
                "mi" | "mn" | "mo" | "mtext" => Some(0),
                _ => None,
            };
            assert!(
                needed.is_none_or(|needed| needed == children),
                "<{name}> has {children} children: {math}"
            );
        } else {
            open.last_mut().unwrap().1 += 1;
            open.push((tag.split(' ').next().unwrap(), 0));
        }
    }
    assert_eq!(open, [("", 1)], "{math}");
}
