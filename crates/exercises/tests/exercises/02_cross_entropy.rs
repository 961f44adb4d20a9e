use crate::near;
use crate::solutions::cross_entropy as right;

fn is_cross_entropy(h: impl Fn(&[f64], &[f64]) -> f64) {
    near("H of half and half, expected so", h(&[0.5, 0.5], &[0.5, 0.5]), 2f64.ln());
    near("H(p, q) of p = (1/4, 3/4), q = (1/2, 1/2)", h(&[0.25, 0.75], &[0.5, 0.5]), 2f64.ln());
    near("H(p, q) of p = (1/2, 1/2), q = (1/4, 3/4)", h(&[0.5, 0.5], &[0.25, 0.75]), 0.836988216785836);
    near("the surprise at class 1, which had 0.8", h(&[0.0, 1.0, 0.0], &[0.2, 0.8, 0.0]), 0.223143551314210);
}
exercise!(
    cross_entropy::cross_entropy,
    is_cross_entropy,
    wrong: [
        |p, q| p.iter().zip(q).map(|(p, q)| -p * q.ln()).sum(), // 0 times infinity
        |p, q| right::cross_entropy(q, p),
        |p, q| right::cross_entropy(p, q) / 2f64.ln(),
        |p, q| -right::cross_entropy(p, q),
        right::divergence,
    ]
);

fn is_divergence(kl: impl Fn(&[f64], &[f64]) -> f64) {
    near("KL(p‖p)", kl(&[0.1, 0.9], &[0.1, 0.9]), 0.0);
    near("KL(p‖q) of p = (1/2, 1/2), q = (1/4, 3/4)", kl(&[0.5, 0.5], &[0.25, 0.75]), 0.143841036225890);
    near("KL(q‖p) of the same", kl(&[0.25, 0.75], &[0.5, 0.5]), 0.130812035941137);
    near("KL of one-hot p, for which q has 1/2", kl(&[0.0, 1.0], &[0.5, 0.5]), 2f64.ln());
}
exercise!(
    cross_entropy::divergence,
    is_divergence,
    wrong: [
        |p, q| right::divergence(q, p),
        |p, q| (right::divergence(p, q) + right::divergence(q, p)) / 2.0,
        right::cross_entropy,
        |p, q| p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum(),
    ]
);

fn finds_the_best(find: impl Fn(&[f64], &[Vec<f64>]) -> usize) {
    let p = [0.5, 0.4, 0.1];
    let near_enough = vec![0.4, 0.4, 0.2];
    let too_sure = vec![0.52, 0.479, 0.001]; // nearer, as the crow flies
    assert_eq!(find(&p, &[too_sure.clone(), near_enough.clone(), vec![0.1, 0.4, 0.5]]), 1);
    assert_eq!(find(&p, &[near_enough, too_sure, p.to_vec()]), 2);
}
exercise!(
    cross_entropy::best_expectation,
    finds_the_best,
    wrong: [
        |_, _| 1,
        |p, several| {
            let far = |q: &Vec<f64>| p.iter().zip(q).map(|(p, q)| (p - q) * (p - q)).sum::<f64>();
            (0..several.len()).min_by(|a, b| far(&several[*a]).total_cmp(&far(&several[*b]))).unwrap()
        },
        |p, several| {
            let most = |q: &Vec<f64>| right::cross_entropy(p, q);
            (0..several.len()).max_by(|a, b| most(&several[*a]).total_cmp(&most(&several[*b]))).unwrap()
        },
    ]
);
