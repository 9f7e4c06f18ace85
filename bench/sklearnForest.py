"""scikit-learn's random forest on rows that bench/model.mjs wrote: prints processor time and AUC of each setting as JSON.

usage: sklearnForest.py FOLDER TREES   (FOLDER holds train.f32, train.u8, test.f32, test.u8; width is that of the shapes)
"""
import json
import sys
import time

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

folder, trees = sys.argv[1], int(sys.argv[2])


def read(name):
    labels = np.fromfile(f"{folder}/{name}.u8", dtype=np.uint8)
    return np.fromfile(f"{folder}/{name}.f32", dtype=np.float32).reshape(len(labels), -1), labels


train, train_labels = read("train")
test, test_labels = read("test")
for name, settings in [("as it comes", {}), ("leaves of 20 rows and more", {"min_samples_leaf": 20})]:
    forest = RandomForestClassifier(n_estimators=trees, n_jobs=1, random_state=1, **settings)
    began = time.process_time()
    forest.fit(train, train_labels)
    seconds = time.process_time() - began
    area = roc_auc_score(test_labels, forest.predict_proba(test)[:, 1])
    print(json.dumps({"version": sklearn.__version__, "settings": name, "seconds": seconds, "auc": area}), flush=True)
