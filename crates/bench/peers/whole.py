"""Whole runs in PyTorch, JAX and scikit-learn, as a user of each would write them: `python whole.py WHO DATA FOLDER EPOCHS THREADS`.

WHO is torch, torch_fused (with the fused optimizer) or jax, whose DATA is a folder with the IDX files of MNIST, or sklearn, whose DATA is a
table. Reads the data, trains, evaluates the training and the test set (torch_test, jax_test: the test set alone) after every epoch, and
saves the model in FOLDER.
"""

import gzip
import json
import sys
from pathlib import Path


def mnist(folder):
    import numpy as np

    def read(name, header):
        path = Path(folder, name)
        data = path.read_bytes() if path.exists() else gzip.decompress(Path(f"{path}.gz").read_bytes())
        return np.frombuffer(data, np.uint8, offset=header)

    def part(name):
        images, labels = read(f"{name}-images-idx3-ubyte", 16), read(f"{name}-labels-idx1-ubyte", 8)
        return images.reshape(-1, 784).astype(np.float32) / 255, labels

    return part("train"), part("t10k")


def by_torch(who, data, folder, epochs, threads):
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    train, test = [(torch.from_numpy(x), torch.from_numpy(y).long()) for x, y in mnist(data)]
    x, y = train
    net = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001, fused=who == "torch_fused")
    for epoch in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            loss = cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            for x_of, y_of in [test] if who == "torch_test" else [train, test]:
                z = net(x_of)
                accuracy = (z.argmax(1) == y_of).float().mean().item()
                print(epoch + 1, cross_entropy(z, y_of).item(), accuracy, file=sys.stderr)
    torch.save(net.state_dict(), Path(folder, "model.pt"))
    return accuracy


def by_jax(who, data, folder, epochs, threads):
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.example_libraries import optimizers

    train, test = [(jnp.asarray(x), jnp.asarray(y, jnp.int32)) for x, y in mnist(data)]
    init, update, params_of = optimizers.adam(0.001)

    def net(params, x):
        for w, b in params[:-1]:
            x = jax.nn.relu(x @ w + b)
        w, b = params[-1]
        return x @ w + b

    def loss_of(params, x, y):
        return -jnp.take_along_axis(jax.nn.log_softmax(net(params, x)), y[:, None], 1).mean()

    @jax.jit
    def train_epoch(state, order, first):
        def step(state, batch):
            i, rows = batch
            return update(first + i, jax.grad(loss_of)(params_of(state), train[0][rows], train[1][rows]), state), None

        batches = order[: len(order) // 64 * 64].reshape(-1, 64)
        state, _ = jax.lax.scan(step, state, (jnp.arange(len(batches)), batches))
        rest = order[len(order) // 64 * 64 :]
        return step(state, (len(batches), rest))[0] if len(rest) else state

    @jax.jit
    def evaluate(params, x, y):
        return loss_of(params, x, y), (net(params, x).argmax(1) == y).mean()

    rng = np.random.default_rng(1)
    bound = [(n, rng.uniform(-(n**-0.5), n**-0.5, (n + 1, k)).astype(np.float32)) for n, k in [(784, 128), (128, 64), (64, 10)]]
    state = init([(jnp.asarray(w[:n]), jnp.asarray(w[n])) for n, w in bound])
    steps = -(-len(train[0]) // 64)
    for epoch in range(epochs):
        state = train_epoch(state, jnp.asarray(rng.permutation(len(train[0]))), epoch * steps)
        for part in [test] if who == "jax_test" else [train, test]:
            loss, accuracy = map(float, evaluate(params_of(state), *part))
            print(epoch + 1, loss, accuracy, file=sys.stderr)
    np.savez(Path(folder, "model.npz"), *[number for pair in params_of(state) for number in pair])
    return accuracy


def by_sklearn(who, data, folder, epochs, threads):
    import joblib
    import pandas
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = pandas.read_csv(data)
    classes = table["target"].dtype.kind not in "if"
    train, test = train_test_split(table, test_size=0.25, random_state=1, stratify=table["target"] if classes else None)
    mlp = MLPClassifier if classes else MLPRegressor
    net = make_pipeline(StandardScaler(), mlp(hidden_layer_sizes=(32,), batch_size=64, learning_rate_init=0.01, max_iter=epochs, random_state=1))
    net.fit(train.drop(columns="target"), train["target"])
    scores = [net.score(part.drop(columns="target"), part["target"]) for part in (train, test)]
    joblib.dump(net, Path(folder, "model.joblib"))
    return scores[1]


if __name__ == "__main__":
    who, data, folder, epochs, threads = sys.argv[1:]
    run = {"torch": by_torch, "jax": by_jax, "sklearn": by_sklearn}[who.split("_")[0]]
    print(json.dumps({"score": run(who, data, folder, int(epochs), int(threads))}))
