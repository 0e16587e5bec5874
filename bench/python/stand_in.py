"""A stand-in of the Python engine that Aegis replaces, to measure beside it: FastAPI, scikit-learn, SQLite.

It is written to be fast at what such an engine does and no faster: pydantic checks the body, an isolation forest of 100
trees over six features scores it, keywords name a failure, and the answer is stored. DURABILITY=batched stores as Aegis
does, in the background within 100 ms, synced at checkpoints; DURABILITY=each commits and syncs before every answer.
It is no part of what is shipped. One process, as the engine's guide starts it: uvicorn stand_in:app
"""

import json
import os
import sqlite3
import threading
import time
import uuid
from contextlib import asynccontextmanager
from datetime import datetime, timezone

import numpy as np
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler

FEATURES = ["cpu_usage", "memory_usage", "request_rate", "error_rate", "response_time", "disk_io"]
API_KEY = os.environ["API_KEY"]
SYNCED = os.environ.get("DURABILITY") == "each"
THRESHOLD = 0.85
PATTERNS = {
    "connection_timeout": ["timeout", "timed out", "connection refused", "econnrefused"],
    "memory_leak": ["out of memory", "outofmemory", "heap"],
    "service_down": ["service unavailable", "shutting down", "panic", "503"],
    "high_latency": ["slow", "took too long"],
}
LINGER_S = 0.1


class MetricData(BaseModel):
    metric_type: str
    value: float
    timestamp: datetime
    labels: dict[str, str] = Field(default_factory=dict)
    metadata: dict = Field(default_factory=dict)


class LogData(BaseModel):
    timestamp: datetime
    level: str
    message: str
    service: str
    metadata: dict = Field(default_factory=dict)


class AnomalyRequest(BaseModel):
    metrics: list[MetricData]
    context: dict | None = None


class FailureRequest(AnomalyRequest):
    logs: list[LogData]


class Store:
    """Predictions in one SQLite file with a write-ahead log."""

    def __init__(self, path: str) -> None:
        self.waiting: list[tuple] = []
        self.database = sqlite3.connect(path, check_same_thread=False)
        self.database.execute("pragma journal_mode = wal")
        self.database.execute(f"pragma synchronous = {'full' if SYNCED else 'normal'}")
        self.database.execute(
            "create table if not exists prediction (id text primary key, at text, model text, score real, action text, body text)"
        )
        self.database.commit()

    def record(self, model: str, score: float, action: str, body: dict) -> None:
        row = (str(uuid.uuid4()), body["timestamp"], model, score, action, json.dumps(body))
        if SYNCED:
            self.write([row])
        else:
            self.waiting.append(row)

    def write(self, rows: list[tuple]) -> None:
        self.database.executemany("insert into prediction values (?, ?, ?, ?, ?, ?)", rows)
        self.database.commit()

    def write_in_background(self) -> None:
        while True:
            time.sleep(LINGER_S)
            rows, self.waiting = self.waiting, []
            if rows:
                self.write(rows)


noise = np.random.default_rng(42).normal(size=(1000, len(FEATURES)))
scaler = StandardScaler().fit(noise)
forest = IsolationForest(n_estimators=100, contamination=0.1, random_state=42).fit(scaler.transform(noise))
store = Store(os.path.join(os.environ["DATA_DIR"], "stand-in.db"))


@asynccontextmanager
async def lifespan(_: FastAPI):
    if not SYNCED:
        threading.Thread(target=store.write_in_background, daemon=True).start()
    yield


app = FastAPI(lifespan=lifespan)


def authorized(x_api_key: str = Header()) -> None:
    if x_api_key != API_KEY:
        raise HTTPException(status_code=401, detail="Invalid API key")


def severity(score: float) -> str:
    return "critical" if score >= 0.9 else "high" if score >= 0.7 else "medium" if score >= 0.5 else "low"


def means(metrics: list[MetricData]) -> np.ndarray:
    values = {name: [m.value for m in metrics if m.metric_type == name] for name in FEATURES}
    return np.array([[float(np.mean(v)) if v else 0.0 for v in values.values()]])


def now() -> str:
    return datetime.now(timezone.utc).isoformat()


@app.get("/ping")
async def ping() -> dict:
    return {"status": "ok"}


@app.post("/api/v1/detect-anomaly", dependencies=[Depends(authorized)])
async def detect_anomaly(request: AnomalyRequest) -> dict:
    features = scaler.transform(means(request.metrics))
    is_outlier = int(forest.predict(features)[0]) == -1
    score = float(min(1.0, max(0.0, -forest.score_samples(features)[0])))
    body = {
        "is_anomaly": is_outlier and score >= THRESHOLD,
        "anomaly_score": score,
        "severity": severity(score),
        "recommended_action": "scale_up" if score >= THRESHOLD else "no_action",
        "confidence": abs(score - 0.5) * 2,
        "affected_metrics": sorted({m.metric_type for m in request.metrics}),
        "details": {"affected_features": [f"{m.metric_type}_mean" for m in request.metrics], "model_confidence": 0.85},
        "timestamp": now(),
    }
    store.record("anomaly", score, body["recommended_action"], body)
    return body


@app.post("/api/v1/detect-failure", dependencies=[Depends(authorized)])
async def detect_failure(request: FailureRequest) -> dict:
    hits = {name: 0 for name in PATTERNS}
    services = set()
    for line in request.logs:
        text = line.message.lower()
        for name, words in PATTERNS.items():
            if any(word in text for word in words):
                hits[name] += 1
                services.add(line.service)
    latest = {m.metric_type: m.value for m in request.metrics}
    if latest.get("error_rate", 0) > 0.3:
        hits["service_down"] += 2
    if latest.get("response_time", 0) > 1000:
        hits["high_latency"] += 2
    if latest.get("memory_usage", 0) > 90:
        hits["memory_leak"] += 2
    name = max(hits, key=lambda each: hits[each])
    failed = hits[name] > 0
    score = min(1.0, 0.5 + 0.1 * hits[name]) if failed else 0.0
    body = {
        "failure_detected": failed,
        "failure_type": name if failed else None,
        "severity": severity(score),
        "recommended_actions": ["restart_pod", "alert_admin"] if failed else ["no_action"],
        "confidence": score,
        "root_cause": f"{hits[name]} signs of {name}" if failed else None,
        "affected_services": sorted(services),
        "details": {"hits": hits},
        "timestamp": now(),
    }
    store.record("failure", score, body["recommended_actions"][0], body)
    return body
