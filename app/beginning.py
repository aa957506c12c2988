"""What POST /jobs asks for, begun: each kind of long work where it is done."""

from app.evaluating import begin_evaluation
from app.experimenting import begin_experiment
from app.idea_schemas import IdeaRequest
from app.job_schemas import EvaluateRequest, ExperimentRequest, FetchRequest, GenerateRequest, JobRequest
from app.jobs import Job, Jobs
from app.lab_schemas import TrainRequest
from app.learning import begin_training
from app.measuring import begin_idea
from app.problems import ProblemError
from app.service import TraceService
from app.settings import Settings
from app.writing import WritingJob


async def begin(settings: Settings, service: TraceService, jobs: Jobs, wanted: JobRequest) -> Job:
    """The job that does it: a new one, or one that does the same already; a problem for what may not begin."""
    match wanted:
        case FetchRequest():
            demand_allowed(settings, wanted.do)
            return jobs.fetch(wanted.model)
        case GenerateRequest():
            job = WritingJob(service, wanted)
            jobs.start(job)
            return job
        case ExperimentRequest():
            return await begin_experiment(service, jobs, wanted)
        case EvaluateRequest():
            demand_allowed(settings, wanted.do)
            return await begin_evaluation(service, jobs, wanted)
        case IdeaRequest():
            demand_allowed(settings, wanted.do)
            return begin_idea(service, jobs, wanted)
        case TrainRequest():
            demand_allowed(settings, wanted.do)
            return await begin_training(service, jobs, wanted)


def cancel(settings: Settings, job: Job) -> None:
    """Asks a job to stop; a not-allowed problem for one that visitors may not start here."""
    demand_allowed(settings, job.do)
    job.cancel()


def demand_allowed(settings: Settings, do: str) -> None:
    """A not-allowed problem for work that this server does for its owner alone."""
    if do == "fetch" and not settings.may_fetch:
        raise ProblemError("not-allowed", "this server does not let visitors fetch models")
    if do == "evaluate" and not settings.may_evaluate:
        raise ProblemError("not-allowed", "this server does not let visitors start an evaluation")
    if do == "idea" and not settings.may_measure:
        raise ProblemError("not-allowed", "this server does not let visitors measure or train what ideas show")
    if do == "train" and not settings.may_train:
        raise ProblemError("not-allowed", "this server does not let visitors train models")
